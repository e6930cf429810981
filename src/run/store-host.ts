import { takeLinks } from "../audit/line-links.ts";
import { FaradayError, InputError, messageOf } from "../core/errors.ts";
import { adviceOn } from "../core/fault.ts";
import type { BatchRecord, LightningStore } from "../store/lightning-store.ts";
import { openStore } from "../store/open.ts";

/** Which store a store thread writes. */
export interface StoreSetup {
  readonly url: string;
  /** What a relative path in the URL is relative to. */
  readonly baseDir: string;
}

/** `links`: of each of the batch's segments, where the main thread has found that its records name each other. */
export type StoreTask =
  | { readonly kind: "batch"; readonly batch: BatchRecord; readonly links: readonly Int32Array[] }
  | { readonly kind: "close" };

/** What went wrong; `null` where what was asked for is done, and on disk. An error would lose its class on its way between threads. */
export type StoreAnswer = {
  readonly message: string;
  readonly exitCode: 1 | 2;
  readonly advice: string | null;
} | null;

/** The error that an answer tells of. */
export function errorOf({ message, exitCode, advice }: NonNullable<StoreAnswer>): FaradayError {
  return exitCode === 2 ? new InputError(message) : new FaradayError(message, { advice });
}

/** What a store thread keeps: the store, with a connection of its own. */
export class StoreHost {
  readonly #setup: StoreSetup;
  #store: LightningStore | undefined;

  constructor(setup: StoreSetup) {
    this.#setup = setup;
  }

  async answer(task: StoreTask): Promise<StoreAnswer> {
    try {
      if (task.kind === "batch") await this.#storeBatch(task.batch, task.links);
      else await this.#close();
      return null;
    } catch (error) {
      const exitCode = error instanceof FaradayError ? error.exitCode : 1;
      return { message: messageOf(error), exitCode, advice: adviceOn(error) };
    }
  }

  async #storeBatch(batch: BatchRecord, links: readonly Int32Array[]): Promise<void> {
    for (const [index, { bytes }] of batch.audit.segments.entries()) takeLinks(bytes, links[index] as Int32Array);
    const { url, baseDir } = this.#setup;
    this.#store ??= await openStore(url, { baseDir, mustExist: true });
    await this.#store.storeBatch(batch);
  }

  async #close(): Promise<void> {
    await this.#store?.[Symbol.asyncDispose]();
    this.#store = undefined;
  }
}
