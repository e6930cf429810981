import { move, Piscina } from "piscina";
import { FaradayError } from "../core/errors.ts";

export interface PoolOptions {
  /** Worker entry; its default export takes a task. */
  readonly file: URL;
  /** Threads, all started at once. */
  readonly workers: number;
  /** Given to every worker as its `workerData`. SharedArrayBuffers in it are shared. */
  readonly setup: unknown;
}

/** A fixed number of worker threads. A worker that dies is replaced, and the task it held is rejected. */
export class WorkerPool<Task, Result> implements AsyncDisposable {
  readonly #piscina: Piscina;

  constructor({ file, workers, setup }: PoolOptions) {
    this.#piscina = new Piscina({
      filename: file.href,
      minThreads: workers,
      maxThreads: workers,
      workerData: setup,
      // A worker that waits in Atomics.wait cannot run promises of its own between messages.
      atomics: "disabled",
    });
    // An idle worker's death has no task to reject; the next task meets its replacement.
    this.#piscina.on("error", () => {});
  }

  /** @throws {FaradayError} with the worker's own message when the task threw or its worker died. */
  async run(task: Task): Promise<Result> {
    try {
      return await this.#piscina.run(task);
    } catch (error) {
      throw new FaradayError(`a worker failed: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#piscina.destroy();
  }
}

/** Marks a worker's answer so that its buffers move to the main thread instead of being copied. */
export function transferring<T extends object>(value: T, buffers: readonly ArrayBufferLike[]): T {
  const marked = { [Piscina.transferableSymbol]: [...buffers], [Piscina.valueSymbol]: value };
  return move(marked as never) as unknown as T;
}
