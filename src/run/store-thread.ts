import type { Worker } from "node:worker_threads";
import type { LoggedSegment } from "../audit/audit-log.ts";
import { knownLinks } from "../audit/line-links.ts";
import { FaradayError, messageOf } from "../core/errors.ts";
import { ownTurn } from "../core/steps.ts";
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
 * one is on disk. A batch is copied to it, a large one in parts, each in a turn of the event loop of its own; the caller may go on using it.
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
    const stored = this.#last.then(() => this.#send(batch));
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

  async #send(batch: BatchRecord): Promise<void> {
    const what = `batch ${batch.phase} ${batch.iteration} of run ${batch.run}`;
    for (const task of tasksOf(batch)) {
      await this.#ask(task, what);
      if (task.kind === "part") await ownTurn();
    }
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

/** Most of a message: episodes, and bytes of segments before the last of it. */
const partEpisodes = 1_000;
const partBytes = 4_000_000;

/** The batch as its messages, in one where it is small. */
function* tasksOf(batch: BatchRecord): Generator<StoreTask> {
  const { episodes } = batch;
  const from = { episodes: 0, segments: 0 };
  while (episodes.length - from.episodes > partEpisodes) {
    const part = episodes.slice(from.episodes, from.episodes + partEpisodes);
    yield { kind: "part", from: { ...from }, episodes: part, segments: [], links: [] };
    from.episodes += partEpisodes;
  }
  const { segments } = batch.audit;
  for (let rest = bytesOf(segments); rest > partBytes; ) {
    const part = firstOf(segments.slice(from.segments));
    yield { kind: "part", from: { ...from }, episodes: [], segments: part, links: linksOf(part) };
    from.segments += part.length;
    rest -= bytesOf(part);
  }
  const audit = { ...batch.audit, segments: segments.slice(from.segments) };
  const links = linksOf(audit.segments);
  yield { kind: "batch", from, links, batch: { ...batch, episodes: episodes.slice(from.episodes), audit } };
}

/** As many as fit into a message, at least one. */
function firstOf(segments: readonly LoggedSegment[]): readonly LoggedSegment[] {
  let bytes = 0;
  const end = segments.findIndex((segment, index) => {
    bytes += segment.bytes.length;
    return index > 0 && bytes > partBytes;
  });
  return end < 0 ? segments : segments.slice(0, end);
}

function bytesOf(segments: readonly LoggedSegment[]): number {
  return segments.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

function linksOf(segments: readonly LoggedSegment[]): readonly Int32Array[] {
  return segments.map(({ bytes }) => knownLinks(bytes));
}
