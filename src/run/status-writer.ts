import type { RunEvent } from "./events.ts";
import type { RolloutPool } from "./rollout-pool.ts";
import type { RunDirectory } from "./run-directory.ts";
import { type FaultStatus, type RunStatusFile, statusName } from "./run-status.ts";

const everyMs = 1_000;
/** Faults that the file holds. */
const newestMax = 10;

/** A pool, as far as it tells what it does. */
interface ReportingPool {
  readonly tasks: RolloutPool["tasks"];
  readonly faults: Pick<RolloutPool["faults"], "retriedByKind" | "quarantined">;
}

/** Keeps a run's status file up to date, from what it is told and what its pool is doing. */
export class StatusWriter implements Disposable {
  readonly #directory: RunDirectory;
  readonly #pool: ReportingPool;
  readonly #timer: NodeJS.Timeout;
  readonly #newest: FaultStatus["newest"] = [];
  #progress = { iteration: 0, iterations: 0, workers: 1, episodesPerSecond: null as number | null };
  #status: RunStatusFile["status"] = "running";

  constructor(directory: RunDirectory, pool: ReportingPool) {
    this.#directory = directory;
    this.#pool = pool;
    this.#timer = setInterval(() => this.write(), everyMs).unref();
  }

  take(event: RunEvent): void {
    if (event.type === "run-start" || event.type === "run-resume") {
      const { iterations, workers } = event;
      const iteration = event.type === "run-resume" ? event.iteration : 0;
      this.#progress = { ...this.#progress, iteration, iterations, workers };
      this.write();
    } else if (event.type === "iteration-end") {
      const episodesPerSecond = event.metrics.episodesPerSecond ?? null;
      this.#progress = { ...this.#progress, iteration: event.iteration, episodesPerSecond };
    } else if (event.type === "task-failure") {
      const { reason, episode } = event;
      this.#newest.push({ at: new Date().toISOString(), reason, ...(episode === undefined ? {} : { episode }) });
      this.#newest.splice(0, this.#newest.length - newestMax);
    } else if (event.type === "run-end") this.end(event.report.status === "cancelled" ? "cancelled" : "succeeded");
  }

  /** Writes the file for the last time. */
  end(status: Exclude<RunStatusFile["status"], "running">): void {
    clearInterval(this.#timer);
    this.#status = status;
    this.write();
  }

  [Symbol.dispose](): void {
    if (this.#status === "running") this.end("failed");
  }

  /** Writes the file as things are now. */
  write(): void {
    const { run } = this.#directory;
    const at = new Date().toISOString();
    const status: RunStatusFile = {
      ...{ run, status: this.#status, pid: process.pid, at, ...this.#progress },
      tasks: this.#status === "running" ? this.#pool.tasks() : [],
      faults: {
        retries: this.#pool.faults.retriedByKind,
        quarantinedTasks: [...this.#pool.faults.quarantined],
        newest: this.#newest,
      },
    };
    try {
      this.#directory.writeJson(statusName, status);
    } catch {
      // Nobody learns from it what the run itself will not say: a disk that is full, for instance.
    }
  }
}
