import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { type AuditKey, loadAuditKey } from "../../audit/audit-key.ts";
import { KnownHeads } from "../../audit/known-heads.ts";
import type { ResolvedConfig } from "../../config/config-schema.ts";
import type { LightningStore } from "../../store/lightning-store.ts";
import { openStore, storePlace } from "../../store/open.ts";
import { AuditTrail } from "../audit-trail.ts";
import { StoreThread } from "../store-thread.ts";

/** A store in a folder of its own with a signing key of its own, gone once it is closed. */
export class BenchStore implements AsyncDisposable {
  readonly #folder: string;
  readonly #store: LightningStore;
  readonly #thread: StoreThread;
  readonly #key: AuditKey;
  #runs = 0;

  private constructor(folder: string, parts: { readonly store: LightningStore; readonly thread: StoreThread }) {
    this.#folder = folder;
    this.#store = parts.store;
    this.#thread = parts.thread;
    this.#key = loadAuditKey({ place: { home: folder, environment: {} } });
  }

  /** @throws {InputError} where the folder for temporary files takes none. */
  static async open(): Promise<BenchStore> {
    const folder = mkdtempSync(join(tmpdir(), "faraday-bench-"));
    const thread = new StoreThread({ url, baseDir: folder });
    const store = await openStore(url, { baseDir: folder, batchWriter: () => thread });
    return new BenchStore(folder, { store, thread });
  }

  /** The thread that packs and writes. */
  get threads(): readonly Worker[] {
    return this.#thread.threads;
  }

  /** A new run in it, signed as training's are. */
  async begin(config: ResolvedConfig): Promise<AuditTrail> {
    const run = `bench-${++this.#runs}`;
    await this.#store.beginRun({ id: run, config });
    return AuditTrail.begin({
      ...{ config, run, store: this.#store, key: this.#key },
      place: storePlace(url, { baseDir: this.#folder }),
      heads: new KnownHeads({ folder: join(this.#folder, "heads") }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const url = "sqlite:bench.db";
