import PQueue from "p-queue";
import type { AuditSegment, TimedSegment } from "../core/audit.ts";
import type { EpisodeKey, EpisodeSummary } from "../core/episode.ts";
import { unpackEpisodes } from "../core/episode-columns.ts";
import { FaradayError, messageOf } from "../core/errors.ts";
import { type Trajectory, trajectoryAt } from "../core/trajectory.ts";
import { attemptId, episodeName } from "./attempt-name.ts";
import type { BatchPlan } from "./plan.ts";
import type { RolloutResult, RolloutTask } from "./rollout.ts";

/** An episode that came back, or was given up. */
export interface RolledOut {
  readonly summary: EpisodeSummary;
  readonly trajectory: Trajectory;
  readonly worker: number;
  readonly attempt: number;
  /** Whether the update passes over it, for reasons that its outcome does not tell. */
  readonly leftOut?: boolean;
}

export interface FinishedBatch {
  /** In the order of the plan, whatever the order of finishing. */
  readonly episodes: readonly RolledOut[];
  /** Ordered by worker, epoch and sequence. */
  readonly audit: readonly TimedSegment[];
  /** When it was begun and when it was there, in milliseconds since 1970. */
  readonly times?: { readonly startMs: number; readonly endMs: number } | undefined;
}

/** Attempts that an episode has: one, and a second where a worker failed. */
const attemptsMax = 2;
/** Failed attempts a worker, with nothing come back before them, after which no more are made. */
const failuresMax = 4;
/** How long a worker has to end an episode that is to be killed, before the worker itself is ended. */
const killGraceMs = 1_000;

/** A task in a worker's hands. */
interface TaskUnderWay {
  readonly task: RolloutTask;
  readonly result: Promise<RolloutResult>;
  /** Ends the worker that holds it. */
  readonly abort: AbortController;
}

interface DispatchedPart {
  readonly episodes: readonly RolledOut[];
  readonly audit: TimedSegment | null;
}

/** Schedules a batch's tasks over the pool, with back-pressure: no more wait than keep every worker busy. */
export class Dispatcher {
  readonly #run: DispatcherOptions["run"];
  readonly #onFailure: (message: string) => void;
  readonly #queue: PQueue;
  readonly #waitingMax: number;
  readonly #failuresMax: number;
  /** Failed attempts; no longer counted once something has come back. */
  #failureCount = 0;
  readonly #underWay = new Set<TaskUnderWay>();
  /** Names of episodes that are not to be begun, or begun again. */
  readonly #killed = new Set<string>();

  /** Why a task failed last. */
  #lastFailure = "the batch is empty";

  constructor(options: DispatcherOptions) {
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
    const parts: Promise<DispatchedPart>[] = [];
    for (const task of plan.tasks) {
      await this.#queue.onSizeLessThan(this.#waitingMax);
      parts.push(this.#queue.add(() => this.#attempt(task, { attempt: 1, failures: 0 })));
    }
    const finished = await Promise.all(parts);
    const episodes = finished.flatMap((part) => part.episodes);
    if (episodes.every(({ worker, summary }) => worker === 0 && summary.outcome === "failed")) {
      throw new FaradayError(`no episode of a batch came back from the workers: ${this.#lastFailure}`);
    }
    return { episodes, audit: finished.flatMap((part) => (part.audit === null ? [] : [part.audit])).sort(bySequence) };
  }

  /**
   * Ends an episode as `killed`, whatever it is doing: one that waits never begins; where the worker that has it does not
   * end it soon, the worker is ended, and the task's other episodes are tried again.
   * @param ended Whether the worker has ended it.
   */
  kill(episode: string, ended: () => boolean): void {
    this.#killed.add(episode);
    const holder = [...this.#underWay].find(({ task }) => task.keys.some(({ id }) => episodeName(id) === episode));
    if (holder === undefined) return;
    setTimeout(() => {
      if (!ended()) holder.abort.abort(new FaradayError(`${episode} was killed and did not end in ${killGraceMs} ms`));
    }, killGraceMs).unref();
  }

  async #attempt(task: RolloutTask, tries: { attempt: number; failures: number }): Promise<DispatchedPart> {
    const killed = task.keys.filter(({ id }) => this.#killed.has(episodeName(id)));
    if (killed.length > 0) return this.#withoutKilled(task, killed, tries);
    const { attempt } = tries;
    if (await this.#isHopeless()) return givenUp(task, this.#lastFailure, attempt);
    const abort = new AbortController();
    const underWay = { task, abort, result: this.#run(task, { signal: abort.signal }) };
    this.#underWay.add(underWay);
    try {
      const result = await underWay.result;
      this.#failureCount = Number.NEGATIVE_INFINITY;
      return { episodes: rolledOut(task, result, attempt), audit: result.audit };
    } catch (error) {
      this.#onFailure(messageOf(error));
      // What was killed is taken out by the next attempt, and no fault of the others.
      const failures = abort.signal.aborted ? tries.failures : tries.failures + 1;
      if (!abort.signal.aborted) {
        this.#failureCount++;
        this.#lastFailure = messageOf(error);
      }
      if (failures >= attemptsMax) return givenUp(task, messageOf(error), attempt);
      const keys = task.keys.map((key) => ({ ...key, id: attemptId(key.id, attempt + 1) }));
      return this.#attempt({ ...task, keys }, { attempt: attempt + 1, failures });
    } finally {
      this.#underWay.delete(underWay);
    }
  }

  /** Runs the rest of a task, if any, and puts what was killed in its place among them. */
  async #withoutKilled(
    task: RolloutTask,
    killed: readonly EpisodeKey[],
    tries: { attempt: number; failures: number },
  ): Promise<DispatchedPart> {
    const keys = task.keys.filter((key) => !killed.includes(key));
    const rest = keys.length === 0 ? nothing : await this.#attempt({ ...task, keys }, tries);
    const others = rest.episodes.values();
    const episodes = task.keys.map((key) =>
      killed.includes(key) ? lost(key, { outcome: "killed", ...killedError }, tries.attempt) : others.next().value,
    );
    return { episodes: episodes.filter((episode) => episode !== undefined), audit: rest.audit };
  }

  /** Whether so many attempts have failed that nothing will come back; what is still under way may prove the contrary. */
  async #isHopeless(): Promise<boolean> {
    if (this.#failureCount >= this.#failuresMax) {
      await Promise.allSettled([...this.#underWay].map(({ result }) => result));
    }
    return this.#failureCount >= this.#failuresMax;
  }
}

export interface DispatcherOptions {
  /** Has a worker do the task; an abort of the signal ends that worker. */
  readonly run: (task: RolloutTask, options: { readonly signal: AbortSignal }) => Promise<RolloutResult>;
  readonly workers: number;
  /** Told why a task failed in a worker, each time. */
  readonly onFailure: (message: string) => void;
}

const nothing: DispatchedPart = { episodes: [], audit: null };
const killedError = {
  error: { boundary: "worker", message: "SIGKILL before it began, or its worker was ended with it" },
} as const;

function rolledOut(task: RolloutTask, { worker, episodes, trajectories }: RolloutResult, attempt: number): RolledOut[] {
  return unpackEpisodes(episodes, task.keys).map((summary, index) => ({
    summary,
    trajectory: trajectoryAt(trajectories, index),
    worker,
    attempt,
  }));
}

function givenUp(task: RolloutTask, message: string, attempt: number): DispatchedPart {
  const error = { boundary: "worker", message } as const;
  return { episodes: task.keys.map((key) => lost(key, { outcome: "failed", error }, attempt)), audit: null };
}

/** An episode of which no worker has told anything. */
function lost(key: EpisodeKey, how: Pick<EpisodeSummary, "outcome" | "error">, attempt: number): RolledOut {
  return {
    summary: {
      key,
      ...how,
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
  };
}

export function bySequence(one: AuditSegment, other: AuditSegment): number {
  return one.worker - other.worker || one.epoch - other.epoch || one.first - other.first;
}
