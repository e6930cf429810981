import type { Worker } from "node:worker_threads";

/** How often heaps are measured: the fastest code fills some 100 MB in that time. */
const everyMs = 200;
/** What a heap may refer to outside of it (buffers, WebAssembly memories), in heaps. */
const outsideMax = 4;

/**
 * Looks from the main thread at the heaps of workers, whatever they are doing. V8 has a limit of its own, but where a thread passes that in one
 * go, the process ends with it: this one comes first.
 */
export class HeapWatch implements Disposable {
  readonly #threads: () => readonly Worker[];
  readonly #bytesMax: number;
  readonly #onFull: (worker: Worker) => void;
  readonly #timer: NodeJS.Timeout;
  /** Threads that have not answered yet. */
  readonly #asked = new Set<Worker>();

  constructor(options: {
    readonly threads: () => readonly Worker[];
    readonly bytesMax: number;
    readonly onFull: (worker: Worker) => void;
  }) {
    this.#threads = options.threads;
    this.#bytesMax = options.bytesMax;
    this.#onFull = options.onFull;
    this.#timer = setInterval(() => this.#look(), everyMs).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const worker of this.#threads()) {
      if (this.#asked.has(worker)) continue;
      this.#asked.add(worker);
      worker
        .getHeapStatistics()
        .then(({ used_heap_size, external_memory }) => {
          if (used_heap_size > this.#bytesMax || external_memory > outsideMax * this.#bytesMax) this.#onFull(worker);
        })
        // It has ended.
        .catch(() => {})
        .finally(() => this.#asked.delete(worker));
    }
  }
}
