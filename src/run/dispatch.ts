import PQueue from "p-queue";
import type { AuditSegment } from "../core/audit.ts";
import type { EpisodeKey, EpisodeSummary } from "../core/episode.ts";
import { unpackEpisodes } from "../core/episode-columns.ts";
import { FaradayError, messageOf } from "../core/errors.ts";
import { type Trajectory, trajectoryAt } from "../core/trajectory.ts";
import type { BatchPlan } from "./plan.ts";
import type { RolloutResult, RolloutTask } from "./rollout.ts";

/** An episode that came back, or was given up. */
export interface RolledOut {
  readonly summary: EpisodeSummary;
  readonly trajectory: Trajectory;
  readonly worker: number;
  readonly attempt: number;
}

export interface FinishedBatch {
  /** In the order of the plan, whatever the order of finishing. */
  readonly episodes: readonly RolledOut[];
  /** Ordered by worker, epoch and sequence. */
  readonly audit: readonly AuditSegment[];
}

/** Attempts that an episode has: one, and a second where a worker failed. */
const attemptsMax = 2;
/** Failed attempts a worker, with nothing come back before them, after which no more are made. */
const failuresMax = 4;

/** Schedules a batch's tasks over the pool, with back-pressure: no more wait than keep every worker busy. */
export class Dispatcher {
  readonly #run: (task: RolloutTask) => Promise<RolloutResult>;
  readonly #onFailure: (message: string) => void;
  readonly #queue: PQueue;
  readonly #waitingMax: number;
  readonly #failuresMax: number;
  /** Failed attempts; no longer counted once something has come back. */
  #failureCount = 0;
  readonly #underWay = new Set<Promise<RolloutResult>>();

  /** Why a task failed last. */
  #lastFailure = "the batch is empty";

  constructor(options: {
    readonly run: (task: RolloutTask) => Promise<RolloutResult>;
    readonly workers: number;
    /** Told why a task failed in a worker, each time. */
    readonly onFailure: (message: string) => void;
  }) {
    this.#run = options.run;
    this.#onFailure = options.onFailure;
    // One task more than there are workers, so that a worker that ends one finds the next there.
    this.#queue = new PQueue({ concurrency: options.workers + 1 });
    this.#waitingMax = 2 * options.workers;
    this.#failuresMax = failuresMax * options.workers;
  }

  /**
   * Resolves when every episode of the batch has reached its terminal state.
   * @throws {FaradayError} where none came back: nothing could be learned, or measured, from that.
   */
  async batch(plan: BatchPlan): Promise<FinishedBatch> {
    const parts: Promise<{ episodes: RolledOut[]; audit: AuditSegment | null }>[] = [];
    for (const task of plan.tasks) {
      await this.#queue.onSizeLessThan(this.#waitingMax);
      parts.push(this.#queue.add(() => this.#attempt(task, 1)));
    }
    const finished = await Promise.all(parts);
    if (finished.every((part) => part.audit === null)) {
      throw new FaradayError(`no episode of a batch came back from the workers: ${this.#lastFailure}`);
    }
    return {
      episodes: finished.flatMap((part) => part.episodes),
      audit: finished.flatMap((part) => (part.audit === null ? [] : [part.audit])).sort(bySequence),
    };
  }

  async #attempt(task: RolloutTask, attempt: number): Promise<{ episodes: RolledOut[]; audit: AuditSegment | null }> {
    if (await this.#isHopeless()) return { episodes: givenUp(task, this.#lastFailure, attempt), audit: null };
    const running = this.#run(task);
    this.#underWay.add(running);
    try {
      const result = await running;
      this.#failureCount = Number.NEGATIVE_INFINITY;
      return { episodes: rolledOut(task, result, attempt), audit: result.audit };
    } catch (error) {
      this.#failureCount++;
      this.#lastFailure = messageOf(error);
      this.#onFailure(messageOf(error));
      if (attempt < attemptsMax) return this.#attempt({ ...task, keys: task.keys.map(retried) }, attempt + 1);
      return { episodes: givenUp(task, messageOf(error), attempt), audit: null };
    } finally {
      this.#underWay.delete(running);
    }
  }

  /** Whether so many attempts have failed that nothing will come back; what is still under way may prove the contrary. */
  async #isHopeless(): Promise<boolean> {
    if (this.#failureCount >= this.#failuresMax) await Promise.allSettled(this.#underWay);
    return this.#failureCount >= this.#failuresMax;
  }
}

function rolledOut(task: RolloutTask, { worker, episodes, trajectories }: RolloutResult, attempt: number): RolledOut[] {
  return unpackEpisodes(episodes, task.keys).map((summary, index) => ({
    summary,
    trajectory: trajectoryAt(trajectories, index),
    worker,
    attempt,
  }));
}

/** The same episode with a new name: what a first attempt recorded before its worker failed stays distinct. */
function retried(key: EpisodeKey): EpisodeKey {
  return { ...key, id: `${key.id}~${attemptsMax}` };
}

function givenUp(task: RolloutTask, message: string, attempt: number): RolledOut[] {
  return task.keys.map((key) => ({
    summary: {
      key,
      outcome: "failed",
      error: { boundary: "worker", message },
      success: false,
      reward: 0,
      cost: 0,
      scalarReward: 0,
      violations: [],
      oracle: null,
      stepCount: 0,
    },
    trajectory: { tokens: new Int32Array(), chosen: new Uint8Array(), logProbabilities: new Float32Array() },
    worker: 0,
    attempt,
  }));
}

function bySequence(one: AuditSegment, other: AuditSegment): number {
  return one.worker - other.worker || one.epoch - other.epoch || one.first - other.first;
}
