import type { DatabaseSync } from "node:sqlite";
import type { AuditSegment } from "../../core/audit.ts";
import type { Phase } from "../../core/episode.ts";
import { FaradayError, messageOf } from "../../core/errors.ts";
import type {
  BatchRecord,
  LightningStore,
  RunStatus,
  StoredCheckpoint,
  StoredEpisode,
  StoredIteration,
  StoredRun,
  StoredViolation,
  TreeSegment,
} from "../lightning-store.ts";
import type { Span } from "../span.ts";
import { BatchWriter } from "./batch-writer.ts";
import { openDatabase } from "./open-database.ts";
import { readEpisodes } from "./read-episodes.ts";
import {
  countSpans,
  readAudit,
  readAuditTree,
  readCheckpoints,
  readIterations,
  readRuns,
  readSpans,
  readViolations,
} from "./read-rows.ts";
import { RunTable } from "./run-table.ts";
import { SpanWriter } from "./span-writer.ts";
import { inTransaction } from "./transaction.ts";

/** The embedded store: one SQLite file in WAL mode, synced to disk at every commit. */
export class SqliteStore implements LightningStore {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #runs: RunTable;
  readonly #spans: SpanWriter;
  readonly #batches: BatchWriter;

  /** @throws {InputError} when no store can be at the path. */
  static open(path: string, options: { readonly mustExist: boolean }): SqliteStore {
    return new SqliteStore(path, openDatabase(path, options));
  }

  private constructor(path: string, database: DatabaseSync) {
    this.#path = path;
    this.#database = database;
    this.#runs = new RunTable(database);
    this.#spans = new SpanWriter(database);
    this.#batches = new BatchWriter(database, this.#spans);
  }

  async beginRun(run: { readonly id: string; readonly config: unknown }): Promise<void> {
    this.#write("begin a run", () => this.#runs.begin(run));
  }

  async resumeRun(run: string): Promise<{ readonly epoch: number }> {
    return this.#write("resume a run", () => this.#runs.resume(run));
  }

  async endRun(run: { readonly id: string; readonly status: RunStatus; readonly report?: unknown }): Promise<void> {
    this.#write("end a run", () => this.#runs.end(run));
  }

  async storeBatch(batch: BatchRecord): Promise<void> {
    this.#write("store a batch", () => this.#batches.write(this.#runs.keyOf(batch.run), batch));
  }

  async importSpans(run: string, spans: readonly Span[]): Promise<number> {
    return this.#write("import spans", () => this.#spans.write(this.#runs.keyOf(run), spans));
  }

  async runs(): Promise<readonly StoredRun[]> {
    return this.#guard("read runs", () => readRuns(this.#database));
  }

  async iterations(run: string): Promise<readonly StoredIteration[]> {
    return this.#read("iterations", run, (key) => readIterations(this.#database, key));
  }

  /** Without a limit, all of them. */
  async violations(run: string, limit = -1): Promise<readonly StoredViolation[]> {
    return this.#read("violations", run, (key) => readViolations(this.#database, key, limit));
  }

  async episodes(run: string, phase?: Phase, iteration?: number): Promise<readonly StoredEpisode[]> {
    return this.#read("episodes", run, (key) => readEpisodes(this.#database, key, { phase, iteration }));
  }

  async audit(run: string): Promise<readonly AuditSegment[]> {
    return this.#read("audit segments", run, (key) => readAudit(this.#database, key));
  }

  async *auditTree(run: string): AsyncGenerator<TreeSegment> {
    const segments = this.#read("audit segments", run, (key) => readAuditTree(this.#database, key));
    while (true) {
      const { done, value } = this.#guard("read audit segments", () => segments.next());
      if (done === true) return;
      yield value;
    }
  }

  async checkpoints(run: string): Promise<readonly StoredCheckpoint[]> {
    return this.#read("checkpoints", run, (key) => readCheckpoints(this.#database, key));
  }

  async spanCount(run: string): Promise<number> {
    return this.#read("spans", run, (key) => countSpans(this.#database, key));
  }

  async spans(run: string, episode?: string): Promise<readonly Span[]> {
    return this.#read("spans", run, (key) => readSpans(this.#database, key, episode ?? null));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #write<Result>(what: string, write: () => Result): Result {
    return this.#guard(what, () => inTransaction(this.#database, write));
  }

  #read<Result>(what: string, run: string, read: (key: number) => Result): Result {
    return this.#guard(`read ${what}`, () => read(this.#runs.keyOf(run)));
  }

  /** Everything that goes wrong comes out as a FaradayError that says where. */
  #guard<Result>(what: string, work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      if (error instanceof FaradayError) throw error;
      throw new FaradayError(`store ${this.#path} could not ${what}: ${messageOf(error)}`, { cause: error });
    }
  }
}
