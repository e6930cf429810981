import type { RetryOptions } from "../config/fault-options.ts";
import { FaradayError } from "../core/errors.ts";
import type { FaultKind, WorkerFault } from "../pool/worker-fault.ts";

/** How long the first wait after a failed boot is, and the longest; each is twice the one before. */
const backoffMs = { first: 100, most: 5_000 };

/** What went wrong in the workers of one run, and what may still be tried. */
export class FaultLedger {
  readonly retries: RetryOptions;
  /** Times that something was tried again, by what had gone wrong. */
  readonly #retried = new Map<FaultKind, number>();
  /** Workers that the episodes of each task have ended. */
  readonly #taskFaults = new Map<string, number>();
  readonly #quarantined = new Set<string>();
  /** Boots that have failed since one went well. */
  #boots = 0;

  constructor(retries: RetryOptions) {
    this.retries = retries;
  }

  /** How often in all an episode is tried that fails in this way. */
  attemptsMax(kind: FaultKind): number {
    const { died, outOfMemory, timedOut, corrupt } = this.retries;
    const retries = { threw: died, died, boot: died, ended: died, "out-of-memory": outOfMemory, "timed-out": timedOut };
    return 1 + (kind === "corrupt" ? corrupt : retries[kind]);
  }

  retried(kind: FaultKind): void {
    this.#retried.set(kind, (this.#retried.get(kind) ?? 0) + 1);
  }

  get retriedByKind(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#retried);
  }

  /**
   * A worker could not boot: says how long to wait before the next may try.
   * @throws {FaradayError} where so many have failed one after the other that none will.
   */
  bootFailed(fault: WorkerFault): number {
    const { boots } = this.retries;
    if (this.#boots >= boots) throw noneBoots(fault, this.#boots + 1);
    return Math.min(backoffMs.first * 2 ** this.#boots++, backoffMs.most);
  }

  bootSucceeded(): void {
    this.#boots = 0;
  }

  /**
   * An episode of a task ended its worker.
   * @returns Whether the task is quarantined for it, now.
   * @throws {FaradayError} where the run is to stop then.
   */
  taskFailed(task: string, { message }: WorkerFault): boolean {
    const faults = this.taskFaults(task) + 1;
    this.#taskFaults.set(task, faults);
    if (faults < this.retries.taskFaults || this.#quarantined.has(task)) return false;
    this.#quarantined.add(task);
    if (this.retries.onQuarantine === "go-on") return true;
    throw new FaradayError(
      `task ${task} ended ${faults} workers, and retries.onQuarantine is stop; the last: ${message}`,
    );
  }

  isQuarantined(task: string): boolean {
    return this.#quarantined.has(task);
  }

  /** Of each task that has ended any, how many workers: what a resumed run must know. */
  get faultsByTask(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#taskFaults);
  }

  /** Takes up what an earlier process had counted. A task that the run stopped for is not passed over now, but the next fault stops it again. */
  restore(faultsByTask: Readonly<Record<string, number>>): void {
    const { taskFaults, onQuarantine } = this.retries;
    for (const [task, faults] of Object.entries(faultsByTask)) {
      this.#taskFaults.set(task, faults);
      if (faults >= taskFaults && onQuarantine === "go-on") this.#quarantined.add(task);
    }
  }

  taskFaults(task: string): number {
    return this.#taskFaults.get(task) ?? 0;
  }

  get quarantined(): readonly string[] {
    return [...this.#quarantined];
  }
}

function noneBoots(fault: WorkerFault, count: number): FaradayError {
  const what = count === 1 ? "a worker could not boot" : `${count} workers one after the other could not boot`;
  return new FaradayError(`${what}, and none is tried again (retries.boots): ${fault.message}`, { cause: fault });
}
