import type { LoggedSegment } from "../audit/audit-log.ts";
import { takeLinks } from "../audit/line-links.ts";
import { FaradayError, InputError, messageOf } from "../core/errors.ts";
import { adviceOn } from "../core/fault.ts";
import type { BatchRecord, LightningStore, StoredEpisode } from "../store/lightning-store.ts";
import { openStore } from "../store/open.ts";

/** Which store a store thread writes. */
export interface StoreSetup {
  readonly url: string;
  /** What a relative path in the URL is relative to. */
  readonly baseDir: string;
}

/**
 * A large batch comes in parts, which are kept until the rest of it comes: the batch without what they have. `from` is how many episodes and segments came before,
 * so that no part of another batch, or of one that was begun in a thread that has ended, is taken for one of it. `links`: of each of its segments, where the main
 * thread has found that its records name each other.
 */
export type StoreTask =
  | ({ readonly kind: "part"; readonly from: Came; readonly links: readonly Int32Array[] } & BatchPart)
  | { readonly kind: "batch"; readonly from: Came; readonly links: readonly Int32Array[]; readonly batch: BatchRecord }
  | { readonly kind: "close" };

/** The next episodes and segments of a batch. */
export interface BatchPart {
  readonly episodes: readonly StoredEpisode[];
  readonly segments: readonly LoggedSegment[];
}

/** How many have come. */
export interface Came {
  readonly episodes: number;
  readonly segments: number;
}

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
  /** Of the batch whose rest has not come. */
  #part: BatchPart = nothing;

  constructor(setup: StoreSetup) {
    this.#setup = setup;
  }

  async answer(task: StoreTask): Promise<StoreAnswer> {
    try {
      if (task.kind === "part") this.#keep(task);
      else if (task.kind === "batch") await this.#storeBatch(this.#whole(task));
      else await this.#close();
      return null;
    } catch (error) {
      const exitCode = error instanceof FaradayError ? error.exitCode : 1;
      return { message: messageOf(error), exitCode, advice: adviceOn(error) };
    }
  }

  #keep({ from, episodes, segments, links }: StoreTask & { readonly kind: "part" }): void {
    const before = this.#before(from);
    takeAll(segments, links);
    this.#part = { episodes: [...before.episodes, ...episodes], segments: [...before.segments, ...segments] };
  }

  #whole({ from, links, batch }: StoreTask & { readonly kind: "batch" }): BatchRecord {
    const { episodes, segments } = this.#before(from);
    takeAll(batch.audit.segments, links);
    this.#part = nothing;
    if (episodes.length === 0 && segments.length === 0) return batch;
    const { audit } = batch;
    return {
      ...batch,
      episodes: [...episodes, ...batch.episodes],
      audit: { ...audit, segments: [...segments, ...audit.segments] },
    };
  }

  /** What came of a batch before; nothing where it begins, whatever was left of another. */
  #before(from: Came): BatchPart {
    if (from.episodes === 0 && from.segments === 0) return nothing;
    const { episodes, segments } = this.#part;
    if (episodes.length === from.episodes && segments.length === from.segments) return this.#part;
    this.#part = nothing;
    throw new FaradayError(
      `a part of a batch follows ${from.episodes} episodes and ${from.segments} segments, and ${episodes.length} and ${segments.length} have come`,
    );
  }

  async #storeBatch(batch: BatchRecord): Promise<void> {
    const { url, baseDir } = this.#setup;
    this.#store ??= await openStore(url, { baseDir, mustExist: true });
    await this.#store.storeBatch(batch);
  }

  async #close(): Promise<void> {
    await this.#store?.[Symbol.asyncDispose]();
    this.#store = undefined;
  }
}

const nothing: BatchPart = { episodes: [], segments: [] };

function takeAll(segments: readonly LoggedSegment[], links: readonly Int32Array[]): void {
  for (const [index, { bytes }] of segments.entries()) takeLinks(bytes, links[index] as Int32Array);
}
