import PQueue from "p-queue";
import { retryOptions } from "../config/fault-options.ts";
import type { AuditSegment, TimedSegment } from "../core/audit.ts";
import type { EpisodeKey, EpisodeSummary } from "../core/episode.ts";
import { unpackEpisodes } from "../core/episode-columns.ts";
import { FaradayError } from "../core/errors.ts";
import { type Trajectory, trajectoryAt } from "../core/trajectory.ts";
import { faultOf, WorkerFault } from "../pool/worker-fault.ts";
import type { RecordedTotals } from "../store/lightning-store.ts";
import { episodeName } from "./attempt-name.ts";
import { keyOfAttempt } from "./episode-keys.ts";
import type { FaultEvent } from "./events.ts";
import { FaultLedger } from "./fault-ledger.ts";
import { killedLoss, type Loss, lossOf, lostEpisode, quarantineLoss } from "./lost-episode.ts";
import type { BatchPlan } from "./plan.ts";
import { isSegment } from "./recorder-chains.ts";
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
  /** What the records have in all; absent where nobody has read them, or some cannot be read. */
  readonly recorded?: RecordedTotals | undefined;
  /** When it was begun and when it was there, in milliseconds since 1970. */
  readonly times?: { readonly startMs: number; readonly endMs: number } | undefined;
}

/** Every episode of a batch was given up. */
export class NothingCameBack extends FaradayError {
  readonly batch: FinishedBatch;

  constructor(reason: string, batch: FinishedBatch) {
    super(`no episode of a batch came back from the workers: ${reason}`);
    this.name = "NothingCameBack";
    this.batch = batch;
  }
}

/** Failed attempts a worker, with nothing come back before them, after which no more are made. */
const failuresMax = 4;
/** Attempts at an episode, whatever became of them: its neighbours may end its worker time after time. */
const attemptsMax = 64;
/** How long a worker has to end an episode that is to be killed, before the worker itself is ended. */
const killGraceMs = 1_000;

export interface DispatcherOptions {
  /** Has a worker do the task; an abort of the signal ends that worker. Rejects with a {@link WorkerFault}, or what is taken for a death. */
  readonly run: (task: RolloutTask, options: { readonly signal: AbortSignal }) => Promise<RolloutResult>;
  readonly workers: number;
  /** Tasks that a worker has at a time. Default 1. */
  readonly tasksPerWorker?: number;
  /** What may be tried again. Default: as without `retries` in a config. */
  readonly faults?: FaultLedger;
  /** Told of every fault, and of every task that is quarantined. */
  readonly onFault: (event: FaultEvent) => void;
}

/** A task in a worker's hands. */
interface TaskUnderWay {
  readonly task: RolloutTask;
  readonly result: Promise<RolloutResult>;
  /** Ends the worker that holds it. */
  readonly abort: AbortController;
}

/** How often a task, or the task that it was part of, was tried, and how often it failed then. */
interface Tries {
  readonly attempt: number;
  readonly failures: number;
}

/** Schedules a batch's tasks over the pool, with back-pressure: no more wait than keep every worker busy. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #faults: FaultLedger;
  readonly #queue: PQueue;
  readonly #waitingMax: number;
  readonly #failuresMax: number;
  /** Failed attempts; no longer counted once something has come back. */
  #failureCount = 0;
  readonly #underWay = new Set<TaskUnderWay>();
  /** Names of episodes that are not to be begun, or begun again. */
  readonly #killed = new Set<string>();

  /** Why a task failed last. */
  #lastFailure = new WorkerFault("threw", "the batch is empty");

  constructor(options: DispatcherOptions) {
    const { workers, tasksPerWorker = 1, faults = new FaultLedger(retryOptions.parse({})) } = options;
    this.#options = options;
    this.#faults = faults;
    // One task more than the workers take, so that a worker that ends one finds the next there.
    this.#queue = new PQueue({ concurrency: workers * tasksPerWorker + 1 });
    this.#waitingMax = 2 * workers * tasksPerWorker;
    this.#failuresMax = failuresMax * workers;
  }

  /**
   * Resolves when every episode of the batch has reached its terminal state.
   * @throws {NothingCameBack} where none came back: nothing could be learned, or measured, from that.
   * @throws {FaradayError} where no worker boots, or the run is to stop for a quarantined task.
   */
  async batch(plan: BatchPlan): Promise<FinishedBatch> {
    const sheet: BatchSheet = { episodes: [], audit: [] };
    const parts: Promise<void>[] = [];
    for (const task of plan.tasks) {
      await this.#queue.onSizeLessThan(this.#waitingMax);
      const part = this.#queue.add(() => this.#attempt(task, { attempt: 1, failures: 0 }, sheet));
      // Told by all of them together, below.
      part.catch(() => {});
      parts.push(part);
    }
    await Promise.all(parts);
    const episodes = sheet.episodes.sort(byPlace);
    const batch = { episodes, audit: sheet.audit.sort(bySequence) };
    // Where all of its tasks are quarantined, going on is what was asked for; it would come to the same each time that the run goes on.
    const isTried = episodes.some(({ summary }) => summary.outcome !== "quarantined");
    if (isTried && episodes.every(isGivenUp)) throw new NothingCameBack(this.#lastFailure.message, batch);
    return batch;
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

  /** Resolves when each episode of the task is on the sheet. */
  async #attempt(given: RolloutTask, tries: Tries, sheet: BatchSheet): Promise<void> {
    const task = { ...given, keys: given.keys.filter((key) => this.#mayBegin(key, tries, sheet)) };
    if (task.keys.length === 0) return;
    if ((await this.#isHopeless()) || tries.attempt > attemptsMax) {
      return giveUp(task.keys, { loss: lossOf(this.#lastFailure), attempt: tries.attempt }, sheet);
    }
    const abort = new AbortController();
    const underWay = { task, abort, result: this.#options.run(task, { signal: abort.signal }) };
    this.#underWay.add(underWay);
    try {
      takeResult(task, { result: await underWay.result, attempt: tries.attempt }, sheet);
      this.#failureCount = Number.NEGATIVE_INFINITY;
      this.#faults.bootSucceeded();
      return;
    } catch (error) {
      this.#underWay.delete(underWay);
      await this.#answer(faultOf(error), { task, tries, isKilled: abort.signal.aborted }, sheet);
    } finally {
      this.#underWay.delete(underWay);
    }
  }

  /** Whether an episode may be begun; else it is given up. */
  #mayBegin(key: EpisodeKey, { attempt }: Tries, sheet: BatchSheet): boolean {
    const isKilled = this.#killed.size > 0 && this.#killed.has(episodeName(key.id));
    if (!isKilled && !this.#faults.isQuarantined(key.task)) return true;
    const loss = isKilled ? killedLoss : quarantineLoss(key.task, this.#faults.taskFaults(key.task));
    giveUp([key], { loss, attempt }, sheet);
    return false;
  }

  /** Does what is to be done about a failed attempt: tries again, in parts where one episode is to blame, or gives up. */
  async #answer(fault: WorkerFault, failed: Failed, sheet: BatchSheet): Promise<void> {
    const { task, tries, isKilled } = failed;
    const guilty = isKilled ? null : guiltyOf(task, fault);
    this.#tell(fault, failed, guilty);
    const again = (keys: readonly EpisodeKey[], failures: number) => {
      if (keys.length > 0) this.#faults.retried(fault.kind);
      return this.#attempt(nextAttempt(task, keys, tries), { attempt: tries.attempt + 1, failures }, sheet);
    };
    // What was killed is taken out by the next attempt, and no fault of the others.
    if (isKilled || fault.kind === "ended") return again(task.keys, tries.failures);
    this.#failureCount++;
    this.#lastFailure = fault;
    if (fault.kind === "boot") {
      await delay(this.#faults.bootFailed(fault));
      return again(task.keys, tries.failures);
    }
    const failures = tries.failures + 1;
    const attempts = this.#faults.attemptsMax(fault.kind);
    if (guilty === null && failures < attempts) return again(task.keys, failures);
    if (guilty === null) {
      // One after the other, so that what is quarantined meanwhile is not begun.
      for (const key of task.keys) await again([key], attempts - 1);
      return;
    }
    this.#blame(guilty, fault);
    await again(
      task.keys.filter((key) => key !== guilty),
      tries.failures,
    );
    if (failures < attempts) return again([guilty], failures);
    giveUp([guilty], { loss: lossOf(fault), attempt: tries.attempt }, sheet);
  }

  #blame({ task }: EpisodeKey, fault: WorkerFault): void {
    if (fault.kind === "threw" || fault.kind === "corrupt" || !this.#faults.taskFailed(task, fault)) return;
    const faults = this.#faults.taskFaults(task);
    this.#options.onFault({ type: "task-quarantined", task, faults, reason: fault.message });
  }

  #tell({ kind, message, activity }: WorkerFault, { task, tries }: Failed, guilty: EpisodeKey | null): void {
    this.#options.onFault({
      ...{ type: "task-failure", reason: message, fault: kind, attempt: tries.attempt, episodes: task.keys.length },
      ...(guilty === null ? {} : { episode: guilty.id }),
      ...(activity === null ? {} : { worker: activity.worker, stage: activity.stage, syscall: activity.syscall }),
    });
  }

  /** Whether so many attempts have failed that nothing will come back; what is still under way may prove the contrary. */
  async #isHopeless(): Promise<boolean> {
    if (this.#failureCount >= this.#failuresMax) {
      await Promise.allSettled([...this.#underWay].map(({ result }) => result));
    }
    return this.#failureCount >= this.#failuresMax;
  }
}

/** What there is of a batch so far: episodes in the order of finishing, and what was recorded. */
interface BatchSheet {
  readonly episodes: RolledOut[];
  readonly audit: TimedSegment[];
}

/** An attempt that came to nothing. */
interface Failed {
  readonly task: RolloutTask;
  readonly tries: Tries;
  /** Whether its worker was ended because one of its episodes was to be killed. */
  readonly isKilled: boolean;
}

/** The one whose code ran when its worker failed, or that was alone in it; `null` where nobody can say. */
function guiltyOf({ keys }: RolloutTask, { kind, activity }: WorkerFault): EpisodeKey | null {
  if (kind === "boot" || kind === "ended") return null;
  const index = activity?.episode ?? (keys.length === 1 ? 0 : null);
  return index === null ? null : (keys[index] ?? null);
}

function nextAttempt(task: RolloutTask, keys: readonly EpisodeKey[], { attempt }: Tries): RolloutTask {
  return { ...task, keys: keys.map((key) => keyOfAttempt(key, attempt + 1)) };
}

/** @throws {WorkerFault} where the answer cannot be read; what was recorded is kept. */
function takeResult(task: RolloutTask, taken: { result: RolloutResult; attempt: number }, sheet: BatchSheet): void {
  try {
    const { worker, episodes, trajectories, audit } = taken.result;
    if (!isSegment(audit)) throw new TypeError("it must hold the worker's records, and holds none");
    sheet.audit.push(audit);
    // Who recorded is who is compared with the records.
    if (worker !== audit.worker) throw new TypeError(`it must be of worker ${audit.worker}, and says ${worker}`);
    const found = unpackEpisodes(episodes, task.keys).map((summary, index) => ({
      ...{ summary, trajectory: trajectoryAt(trajectories, index), worker, attempt: taken.attempt },
    }));
    for (const episode of found) sheet.episodes.push(episode);
  } catch (error) {
    throw new WorkerFault("corrupt", error);
  }
}

function giveUp(keys: readonly EpisodeKey[], how: { loss: Loss; attempt: number }, sheet: BatchSheet): void {
  for (const key of keys) sheet.episodes.push(lostEpisode(key, how.loss, how.attempt));
}

function isGivenUp({ worker, summary }: RolledOut): boolean {
  return worker === 0 && summary.outcome !== "killed";
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The order of a plan: groups one after the other, each in the order of its indices. */
export function byPlace({ summary: { key: one } }: RolledOut, { summary: { key: other } }: RolledOut): number {
  return one.group - other.group || one.index - other.index;
}

export function bySequence(one: AuditSegment, other: AuditSegment): number {
  return one.worker - other.worker || one.epoch - other.epoch || one.first - other.first;
}
