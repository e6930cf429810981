import type { Split } from "./env.ts";
import type { Syscall, SyscallResult, Violation } from "./syscall.ts";

/**
 * How an episode ended; every one that was enqueued reaches exactly one of them.
 * `completed`: the agent or the environment ended it, or its turns were used up. `stopped`: a blocked violation under
 * `failOnViolation`, or SIGTERM. `killed`: SIGKILL. `failed`: a boundary broke (see {@link EpisodeError}). `cancelled`: the run
 * ended first. `quarantined`: what was mediated, recorded and penalised does not agree, or its task keeps ending workers, so that it
 * earns nothing and nothing is learned from it. `timed-out`: it passed a deadline; nothing is learned from it either.
 */
export const episodeOutcomes = [
  "completed",
  "stopped",
  "killed",
  "failed",
  "cancelled",
  "quarantined",
  "timed-out",
] as const;
export type EpisodeOutcome = (typeof episodeOutcomes)[number];

/** Whose fault a failed episode is. */
export const boundaries = ["agent", "environment", "kernel", "worker"] as const;
export type Boundary = (typeof boundaries)[number];

export interface EpisodeError {
  readonly boundary: Boundary;
  readonly message: string;
}

/** What an episode is run for. */
export const phases = ["train", "ungoverned", "before", "after", "eval"] as const;
export type Phase = (typeof phases)[number];

/** Which episode: all that its randomness and its place in the run derive from. */
export interface EpisodeKey {
  /** Unique in a run: `{phase}-{iteration}-{group}-{index}`. */
  readonly id: string;
  readonly phase: Phase;
  readonly iteration: number;
  /** Position of the group in its batch, from 0. */
  readonly group: number;
  /** Position in the group, from 0. */
  readonly index: number;
  readonly task: string;
  readonly split: Split;
  readonly seed: number;
  /** Version of the weights that act; 0 is the base policy. */
  readonly weights: number;
}

/** One syscall of an episode and what came of it. */
export interface StepRecord {
  readonly syscall: Syscall;
  readonly result: SyscallResult;
  /** What the agent was shown. */
  readonly observation: string;
}

/** Something that the oracle saw in the world and that was not granted. */
export interface OracleFinding {
  /** Index into the episode's steps, or -1 where only the episode as a whole is known. */
  readonly step: number;
  readonly description: string;
}

/** What is known of a finished episode without its steps: plain data, kept by the store as rows. */
export interface EpisodeSummary {
  readonly key: EpisodeKey;
  readonly outcome: EpisodeOutcome;
  readonly error?: EpisodeError;
  /** Whether the task was done, as the environment judged the world. */
  readonly success: boolean;
  /** Reward channel: the task reward alone. */
  readonly reward: number;
  /** Cost channel: sum of the penalties of the violations, ≥ 0. */
  readonly cost: number;
  /** The scalar PolicyReward: task reward − cost, plus the clean bonus where there was no violation. */
  readonly scalarReward: number;
  readonly violations: readonly EpisodeViolation[];
  /** What the independent oracle saw; `null` where it was not asked. */
  readonly oracle: readonly OracleFinding[] | null;
  /** How many syscalls were made. */
  readonly stepCount: number;
}

/** One finished episode with all that was said and done. */
export interface EpisodeRecord extends EpisodeSummary {
  readonly steps: readonly StepRecord[];
}

/** A violation, the step that it happened in, and its price. */
export interface EpisodeViolation extends Violation {
  /** Index of the syscall in its episode, from 0. */
  readonly step: number;
  /** The syscall in a line, e.g. the SQL text, cut to 2,000 characters. */
  readonly statement: string;
  /** What it cost: ≥ 0. */
  readonly penalty: number;
}
