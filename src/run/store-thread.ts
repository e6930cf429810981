import type { Worker } from "node:worker_threads";
import { knownLinks } from "../audit/line-links.ts";
import { FaradayError, messageOf } from "../core/errors.ts";
import { workerFile } from "../pool/worker-file.ts";
import { WorkerPool } from "../pool/worker-pool.ts";
import type { BatchRecord, BatchWriter, LightningStore } from "../store/lightning-store.ts";
import { type OpenStoreOptions, openStore } from "../store/open.ts";
import { errorOf, type StoreAnswer, type StoreSetup, type StoreTask } from "./store-host.ts";

export type OpenRunStore = (url: string, options: OpenStoreOptions) => Promise<LightningStore>;

/**
 * Opens the store that a run writes. Where it is a file, a thread of its own packs batches, writes them and waits for the disk.
 * @throws {InputError} as {@link openStore}.
 */
export function openRunStore(url: string, options: OpenStoreOptions): ReturnType<typeof openStore> {
  const { baseDir } = options;
  return openStore(url, { ...options, batchWriter: () => new StoreThread({ url, baseDir }) });
}

/**
 * Stores batches in a thread of its own, on a connection of its own. It has one batch at a time, and whoever brings the next waits until that
 * one is on disk. A batch is copied to it, which takes less than a millisecond; the caller may go on using it.
 */
export class StoreThread implements BatchWriter {
  readonly #setup: StoreSetup;
  readonly #pool: WorkerPool<StoreTask, StoreAnswer>;
  #last: Promise<unknown> = Promise.resolve();
  #isUsed = false;

  /** @param file The worker's entry. */
  constructor(setup: StoreSetup, file = workerFile("store")) {
    this.#setup = setup;
    this.#pool = new WorkerPool({ file, workers: 1, setup });
  }

  /** It alone, for whoever measures it. */
  get threads(): readonly Worker[] {
    return this.#pool.threads;
  }

  /** @throws {FaradayError} as a store in this thread, and where the thread ends instead of answering. */
  async storeBatch(batch: BatchRecord): Promise<void> {
    this.#isUsed = true;
    const links = batch.audit.segments.map(({ bytes }) => knownLinks(bytes));
    const task = { kind: "batch", batch, links } as const;
    const stored = this.#last.then(() =>
      this.#ask(task, `batch ${batch.phase} ${batch.iteration} of run ${batch.run}`),
    );
    // Whoever brought it is told.
    this.#last = stored.catch(() => {});
    await stored;
  }

  /** All that was promised is on disk already: a thread that fails to close its connection leaves nothing undone. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    if (this.#isUsed) await this.#ask({ kind: "close" }, "its end").catch(() => {});
    await this.#pool[Symbol.asyncDispose]();
  }

  async #ask(task: StoreTask, what: string): Promise<void> {
    const answer = await this.#pool.run(task).catch((error: unknown) => {
      throw new FaradayError(
        `store ${this.#setup.url}: the thread that writes it failed before it told that ${what} is on disk: ${messageOf(error)}`,
        { cause: error },
      );
    });
    if (answer !== null) throw errorOf(answer);
  }
}
