import { close, fdatasync, open } from "node:fs";
import { promisify } from "node:util";

const openFile = promisify(open);
const syncFile = promisify(fdatasync);
const closeFile = promisify(close);

/**
 * Syncs SQLite's write-ahead log to disk in a thread of the system's, where SQLite would hold up the process: half of a server's time. What
 * is committed while one sync runs waits for the next one, together.
 */
export class LogSync implements AsyncDisposable {
  readonly #path: string;
  #file: Promise<number> | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** @param path Of the database; its log lies beside it. */
  constructor(path: string) {
    this.#path = `${path}-wal`;
  }

  /** What still is on its way to disk; `undefined` where all is there. */
  get pending(): Promise<void> | undefined {
    return this.#next ?? this.#running;
  }

  /**
   * Resolves once all that is committed by now is on disk. After a sync that failed all others do, since the system may have
   * forgotten what it could not write.
   */
  synced(): Promise<void> {
    this.#next ??= this.#syncAfter(this.#running);
    return this.#next;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pending?.catch(() => {});
    if (this.#file !== undefined) await closeFile(await this.#file);
    this.#file = undefined;
  }

  async #syncAfter(running: Promise<void> | undefined): Promise<void> {
    await running;
    this.#file ??= openFile(this.#path, "r+");
    const file = await this.#file;
    // What is committed from here on may miss this sync.
    this.#running = this.#next;
    this.#next = undefined;
    await syncFile(file);
    this.#running = undefined;
  }
}
