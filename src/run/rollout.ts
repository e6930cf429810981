import type { AgentChoice } from "../config/agent.ts";
import type { EnvChoice } from "../config/env-choice.ts";
import type { DeadlineOptions } from "../config/fault-options.ts";
import type { TimedSegment } from "../core/audit.ts";
import type { EpisodeKey } from "../core/episode.ts";
import type { EpisodeColumns } from "../core/episode-columns.ts";
import type { TrajectoryColumns } from "../core/trajectory.ts";
import type { KernelSpec } from "../kernel/kernel-space.ts";
import type { Architecture } from "../model/architecture.ts";
import type { RewardSettings } from "../runner/reward-options.ts";
import type { RunnerSettings } from "../runner/runner-options.ts";
import type { KeyColumns } from "./episode-keys.ts";
import type { SurrogateShard } from "./surrogate.ts";

/** What every worker is made of: plain data, and memory that is shared with the main thread. */
export interface RolloutSetup {
  readonly env: EnvChoice;
  readonly baseDir: string;
  readonly kernel: KernelSpec;
  readonly runner: RunnerSettings;
  readonly reward: RewardSettings;
  /** Who acts: the policy model, or an agent of the config's. */
  readonly actor: { readonly policy: PolicySetup } | { readonly agent: AgentChoice };
  /** One Int32: how many workers have booted so far, for their numbers. */
  readonly workerCount: SharedArrayBuffer;
  /** Of the workers' recorders: one that the run has not stored yet. */
  readonly epoch: number;
  /** Whether calls in a row are recorded together. */
  readonly together: boolean;
  /** Whether recorders say when their records were made. */
  readonly timed: boolean;
  /** Memory of the run's {@link SignalBoard}. */
  readonly signals: SharedArrayBuffer;
  /** Memory of the pool's {@link ActivityBoard}. */
  readonly activity: SharedArrayBuffer;
  readonly deadlines: DeadlineOptions;
}

/** The policy model as a worker has it. */
export interface PolicySetup {
  readonly architecture: Architecture;
  /** The tokenizer's JSON form. */
  readonly tokenizer: unknown;
  /** Episodes of a full task: rows of the sampler's batches. */
  readonly rows: number;
  readonly weights: SharedWeightsMemory;
  /** That training episodes are sampled with. */
  readonly temperature: number;
}

/**
 * Copies of the weights side by side, one a slot. Two are the learner's, in turns, so that its next step can be written while one is read; behind
 * them lie the policies that are rolled out, the newest and those before it that may still be sampled from.
 */
export interface SharedWeightsMemory {
  readonly buffer: SharedArrayBuffer;
  /** Float32 values of one copy. */
  readonly size: number;
  /** How many policies there is room for. */
  readonly policies: number;
}

/** Episodes for one worker to run side by side: at most as many as the setup's `rows`, all under the same weights. */
export interface RolloutTask {
  readonly keys: readonly EpisodeKey[];
  readonly temperature: number;
  readonly governed: boolean;
  /** Whether the oracle looks on. */
  readonly oracle: boolean;
  /** Whether it is recorded; default `true`. What is not can be measured, but not stored. */
  readonly recorded?: boolean;
  /** Updates that the policy has had which it is sampled from. */
  readonly weights: number;
}

/** A task on its way to a worker. */
export type PackedRolloutTask = Omit<RolloutTask, "keys"> & { readonly keys: KeyColumns };

export interface RolloutResult {
  /** Counts from 1 in the order of booting; a replacement has a number of its own. */
  readonly worker: number;
  /** In the order of the task's keys, as are the trajectories. */
  readonly episodes: EpisodeColumns;
  readonly trajectories: TrajectoryColumns;
  readonly audit: TimedSegment;
  readonly health: WorkerHealth;
}

/** What is known of a worker after a task. */
export interface WorkerHealth {
  /** Episodes that it has run. */
  readonly episodes: number;
  /** Episodes whose code left something behind that broke. */
  readonly strayErrors: number;
  /** Of its heap, and of what its heap refers to outside of it. */
  readonly memoryBytes: number;
}

/** What a worker is asked: to roll out or to differentiate, under the weights in one slot. */
export type WorkerTask = {
  readonly slot: number;
  /** Of the board on which the worker says what it does; `null` where it says nothing. */
  readonly row: number | null;
} & (
  | { readonly kind: "rollout"; readonly rollout: PackedRolloutTask }
  | { readonly kind: "gradient"; readonly shard: SurrogateShard; readonly step: number }
);

const learnerSlots = 2;

/** The slot of the learner's nth step. */
export function learnerSlot(step: number): number {
  return step % learnerSlots;
}

/** The slot of the policy that has had so many updates. */
export function policySlot({ policies }: SharedWeightsMemory, updates: number): number {
  return learnerSlots + (updates % policies);
}

/** The weights in a slot, shared: nothing is copied. */
export function weightsAt({ buffer, size }: SharedWeightsMemory, slot: number): Float32Array<SharedArrayBuffer> {
  return new Float32Array(buffer, slot * size * Float32Array.BYTES_PER_ELEMENT, size);
}

/** Memory with the given weights as the learner's first and as the policy without an update. */
export function shareWeights(weights: Float32Array, policies: number): SharedWeightsMemory {
  const buffer = new SharedArrayBuffer((learnerSlots + policies) * weights.byteLength);
  const memory = { buffer, size: weights.length, policies };
  weightsAt(memory, learnerSlot(0)).set(weights);
  weightsAt(memory, policySlot(memory, 0)).set(weights);
  return memory;
}
