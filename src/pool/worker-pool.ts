import type { Worker } from "node:worker_threads";
import { move, Piscina } from "piscina";
import { FaradayError, messageOf } from "../core/errors.ts";

export interface PoolOptions {
  /** Worker entry; its default export takes a task. */
  readonly file: URL;
  /** Threads, all started at once. */
  readonly workers: number;
  /** Given to every worker as its `workerData`. SharedArrayBuffers in it are shared. */
  readonly setup: unknown;
}

/**
 * A fixed number of worker threads. A worker that dies is replaced, and the task it held is rejected. Where none lives and none can be
 * started, the tasks that wait are rejected too: every task is settled.
 */
export class WorkerPool<Task, Result> implements AsyncDisposable {
  readonly #piscina: Piscina;
  /** Threads that have started. piscina would give tasks to one that is still starting, and lose them with it. */
  readonly #started = new Set<number>();
  /** Aborted to reject the tasks that wait; those that come later wait on a new one. */
  #waiting = new AbortController();
  #lastError = "it ended while it started";
  #closed = false;

  constructor({ file, workers, setup }: PoolOptions) {
    this.#piscina = new Piscina({
      filename: file.href,
      minThreads: workers,
      maxThreads: workers,
      workerData: setup,
      // A worker that waits in Atomics.wait cannot run promises of its own between messages.
      atomics: "disabled",
      loadBalancer: (_task, threads) =>
        threads.find(({ id, currentUsage }) => currentUsage === 0 && this.#started.has(id)) ?? null,
    });
    this.#piscina.on("workerCreate", ({ id }: { readonly id: number }) => this.#started.add(id));
    // Told before the worker is taken out and perhaps replaced.
    this.#piscina.on("workerDestroy", () => queueMicrotask(() => this.#rejectStranded()));
    // A worker that dies without a task has none to reject.
    this.#piscina.on("error", (error) => {
      this.#lastError = messageOf(error);
    });
  }

  /** Those that live, for whoever measures them. */
  get threads(): readonly Worker[] {
    return this.#piscina.threads;
  }

  /**
   * @param options.signal Once aborted, the task is rejected with the signal's reason, and the worker that holds it is ended
   * and replaced, whatever it is doing.
   * @throws {FaradayError} with the worker's own message when the task threw or its worker died.
   */
  async run(task: Task, options: { readonly signal?: AbortSignal } = {}): Promise<Result> {
    const signals = [this.#waiting.signal, ...(options.signal === undefined ? [] : [options.signal])];
    try {
      if (this.#closed) throw new Error("the pool is closed");
      return await this.#piscina.run(task, { signal: AbortSignal.any(signals) });
    } catch (error) {
      const reason = signals.find((signal) => signal.aborted)?.reason ?? error;
      throw new FaradayError(`a worker failed: ${messageOf(reason)}`, { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#piscina.destroy();
  }

  /** piscina starts no replacement for a worker that failed while it started, and leaves what waits for one waiting. */
  #rejectStranded(): void {
    if (this.#closed || this.#piscina.threads.length > 0) return;
    const waiting = this.#waiting;
    this.#waiting = new AbortController();
    waiting.abort(new Error(`no worker starts: ${this.#lastError}`));
  }
}

/** Marks a worker's answer so that its buffers move to the main thread instead of being copied. */
export function transferring<T extends object>(value: T, buffers: readonly ArrayBufferLike[]): T {
  const marked = { [Piscina.transferableSymbol]: [...buffers], [Piscina.valueSymbol]: value };
  return move(marked as never) as unknown as T;
}
