import type { EpisodeSummary } from "../core/episode.ts";
import type { Trajectory } from "../core/trajectory.ts";
import type { OpenEpisodes } from "./open-episodes.ts";
import type { RolloutTask } from "./rollout.ts";

/** What a task's episodes came to, in the order of its keys. */
export interface PlayedEpisodes {
  readonly records: readonly EpisodeSummary[];
  readonly trajectories: readonly Trajectory[];
}

/** Whoever acts in a worker's episodes. */
export interface Player {
  /**
   * Plays a task's episodes to their ends. What breaks in one of them is in its record.
   * @param slot Of the weights that the policy model is sampled from.
   * @throws Error where the task is lost as a whole; what it left open, `episodes` knows.
   */
  play(task: RolloutTask, slot: number, episodes: OpenEpisodes): Promise<PlayedEpisodes>;
}
