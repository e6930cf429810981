import type { ExportedEpisode } from "./exported-episode.ts";
import type { ExportOutput } from "./output.ts";

/** Writes episodes in one format. Groups come whole: the episodes of one are never in two calls. */
export interface EpisodeWriter {
  write(episodes: readonly ExportedEpisode[]): Promise<void>;
  /** What has to come last. */
  end(): Promise<void>;
  /** Rows or lines that were written. */
  readonly rows: number;
}

export interface EpisodeFormat {
  /** Whether it is text, and may go to stdout. */
  readonly text: boolean;
  /** Whether it is nothing without what was said. */
  readonly needsMessages: boolean;
  /** Whether it tells the tasks' gold answers. */
  readonly needsAnswers: boolean;
  open(output: ExportOutput, answers: GoldAnswers): Promise<EpisodeWriter>;
}

/** By the tasks' ids, as far as they are known. */
export type GoldAnswers = ReadonlyMap<string, string>;
