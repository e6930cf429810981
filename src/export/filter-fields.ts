import { splits } from "../core/env.ts";
import { episodeOutcomes, phases } from "../core/episode.ts";
import type { ExportedEpisode } from "./exported-episode.ts";

export type FilterValue = string | number | boolean | null;

/** Something of an episode that a filter may ask for. */
export interface FilterField {
  readonly type: "number" | "boolean" | "text";
  /** The only texts that it has, where they are few. */
  readonly values?: readonly string[];
  of(episode: ExportedEpisode): FilterValue;
}

/** By name. Lists count: `violations=0` is an episode without a violation. */
export const filterFields: Readonly<Record<string, FilterField>> = {
  episode: { type: "text", of: ({ episode }) => episode },
  phase: { type: "text", values: phases, of: ({ phase }) => phase },
  iteration: { type: "number", of: ({ iteration }) => iteration },
  group_index: { type: "number", of: (episode) => episode.group_index },
  episode_index: { type: "number", of: (episode) => episode.episode_index },
  task: { type: "text", of: ({ task }) => task },
  split: { type: "text", values: splits, of: ({ split }) => split },
  weights: { type: "number", of: ({ weights }) => weights },
  worker: { type: "number", of: ({ worker }) => worker },
  attempt: { type: "number", of: ({ attempt }) => attempt },
  outcome: { type: "text", values: episodeOutcomes, of: ({ outcome }) => outcome },
  success: { type: "boolean", of: ({ success }) => success },
  reward: { type: "number", of: ({ reward }) => reward },
  cost: { type: "number", of: ({ cost }) => cost },
  scalar_reward: { type: "number", of: (episode) => episode.scalar_reward },
  advantage: { type: "number", of: ({ advantage }) => advantage },
  steps: { type: "number", of: ({ steps }) => steps },
  violations: { type: "number", of: ({ violations }) => violations.length },
  tokens: { type: "number", of: ({ tokens }) => tokens?.length ?? 0 },
};
