import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Workload } from "./workloads.ts";

export interface LoadRun {
  readonly workload: Workload;
  /** How often, over all connections. */
  readonly turns: number;
  /** Connections, each with one request at a time. */
  readonly inFlight: number;
}

/** Clients in a thread of their own, so that making requests and answering them do not take each other's time. */
export class Load implements AsyncDisposable {
  readonly #worker: Worker;

  constructor(url: string) {
    this.#worker = new Worker(new URL("worker.ts", import.meta.url), { workerData: url });
  }

  /** Resolves to how long the turns took, in milliseconds, without setting them up. */
  async run(run: LoadRun): Promise<number> {
    this.#worker.postMessage(run);
    const [{ ms, error }] = await once(this.#worker, "message");
    if (error !== undefined) throw new Error(`load ${run.workload}: ${error}`);
    return ms;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
