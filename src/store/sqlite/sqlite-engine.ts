import { statSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine, Shared } from "../sql/engine.ts";
import { type Answer, type Ask, type Insert, insertText, type Operation } from "../sql/operation.ts";
import { LogSync } from "./log-sync.ts";
import { openDatabase } from "./open-database.ts";

interface Job {
  readonly writes: boolean;
  readonly before?: Shared["before"];
  readonly operation: () => Operation<unknown>;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
  readonly since: number;
}

interface Prepared {
  readonly statement: StatementSync;
  /** Whether it gives rows. */
  readonly gives: boolean;
}

/** How long a job waits for other processes before it gives up. */
const busyTimeoutMs = 10_000;

/** Not all at the same time again. */
const retryMs = () => 1 + 4 * Math.random();

/** Texts that are kept prepared; those of filters come in many forms. */
const preparedMax = 500;

/**
 * Runs what came in one turn of the event loop in one transaction, since syncing to disk takes longer than most operations. None is told of
 * before all are on disk: they are synced while the next transaction is made.
 *
 * One that fails takes nothing of the others along: most fail before they have written anything; where one has, all are run again, each with a
 * savepoint, which would cost as much as a statement or two if they always had one.
 */
export class SqliteEngine implements Engine {
  readonly dialect = "sqlite";
  readonly name: string;
  readonly #database: DatabaseSync;
  readonly #log: LogSync;
  readonly #prepared = new Map<string, Prepared>();
  #jobs: Job[] = [];
  #scheduled = false;
  /** Whether the job at hand has written anything. */
  #wrote = false;

  /** @throws {InputError} when no store can be at the path. */
  static open(path: string, options: { readonly mustExist: boolean }): SqliteEngine {
    return new SqliteEngine(path, openDatabase(path, options));
  }

  constructor(path: string, database: DatabaseSync) {
    this.name = path;
    this.#database = database;
    this.#log = new LogSync(path);
  }

  write<Result>(operation: () => Operation<Result>, { before }: Shared = {}): Promise<Result> {
    return this.#add({ operation, before, writes: true });
  }

  read<Result>(operation: () => Operation<Result>): Promise<Result> {
    return this.#add({ operation, writes: false });
  }

  async bytes(): Promise<number> {
    const files = ["", "-wal"].map((end) => statSync(`${this.name}${end}`, { throwIfNoEntry: false })?.size ?? 0);
    return files.reduce((sum, size) => sum + size, 0);
  }

  async vacuum(): Promise<void> {
    this.#flush();
    this.#database.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#jobs.length > 0) {
      this.#flush();
      if (this.#jobs.length > 0) await sleep(retryMs());
    }
    await this.#log[Symbol.asyncDispose]();
    if (this.#database.isOpen) this.#database.close();
  }

  #add<Result>(job: Pick<Job, "before" | "writes"> & { readonly operation: () => Operation<Result> }): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#jobs.push({ ...job, resolve, reject, since: performance.now() });
      if (this.#scheduled) return;
      this.#scheduled = true;
      // After the turn's input and output: then all requests that came in together are here.
      setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    this.#scheduled = false;
    const jobs = this.#jobs;
    this.#jobs = [];
    if (jobs.length === 0) return;
    const writes = jobs.some((job) => job.writes);
    try {
      const settled = this.#transact(jobs, writes);
      void this.#settle(jobs, settled, writes ? this.#log.synced() : this.#log.pending);
    } catch (error) {
      this.#failed(jobs, error);
    }
  }

  #transact(jobs: readonly Job[], writes: boolean): readonly (() => void)[] {
    try {
      return this.#transactOnce(jobs, { writes, apart: false });
    } catch (error) {
      if (jobs.length === 1 || isBusy(error)) throw error;
      return this.#transactOnce(jobs, { writes, apart: true });
    }
  }

  /** @returns What tells each job of its end, once that is on disk. */
  #transactOnce(
    jobs: readonly Job[],
    { writes, apart }: { readonly writes: boolean; readonly apart: boolean },
  ): readonly (() => void)[] {
    this.#database.exec(writes ? "BEGIN IMMEDIATE" : "BEGIN");
    try {
      const before = jobs.findLast((job) => job.before !== undefined)?.before;
      if (before !== undefined) this.#drive(before());
      const settled = jobs.map((job) => (apart ? this.#attemptApart(job) : this.#attempt(job)));
      this.#database.exec("COMMIT");
      return settled;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  /** What others have committed is told no sooner than to them. */
  async #settle(jobs: readonly Job[], settled: readonly (() => void)[], synced: Promise<void> | undefined) {
    try {
      if (synced !== undefined) await synced;
      for (const settle of settled) settle();
    } catch (error) {
      for (const { reject } of jobs) reject(error);
    }
  }

  /** SQLite has rolled back by itself after some errors, such as a full disk; after others it cannot. */
  #rollBack(): void {
    try {
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec("ROLLBACK");
    } catch {
      // What failed before is told; the next transaction fails, too.
    }
  }

  /** While another process writes, this one does other things and tries again: none of the jobs has left anything. */
  #failed(jobs: readonly Job[], error: unknown): void {
    const patience = isBusy(error) ? busyTimeoutMs : 0;
    const now = performance.now();
    const [waiting, given] = [true, false].map((waits) => jobs.filter(({ since }) => now - since < patience === waits));
    for (const { reject } of given ?? []) reject(error);
    this.#jobs = [...(waiting ?? []), ...this.#jobs];
    if (this.#jobs.length === 0 || this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => this.#flush(), retryMs());
  }

  /** @throws what it fails with, where it has written something. */
  #attempt({ operation, resolve, reject }: Job): () => void {
    this.#wrote = false;
    try {
      const result = this.#drive(operation());
      return () => resolve(result as never);
    } catch (error) {
      if (this.#wrote || !this.#database.isTransaction || isBusy(error)) throw error;
      return () => reject(error);
    }
  }

  #attemptApart({ operation, resolve, reject }: Job): () => void {
    this.#run("SAVEPOINT one");
    try {
      const result = this.#drive(operation());
      this.#run("RELEASE one");
      return () => resolve(result as never);
    } catch (error) {
      // Where SQLite has ended the transaction, it has ended for all.
      if (!this.#database.isTransaction || isBusy(error)) throw error;
      this.#run("ROLLBACK TO one");
      this.#run("RELEASE one");
      return () => reject(error);
    }
  }

  #drive<Result>(operation: Operation<Result>): Result {
    let step = operation.next();
    while (step.done !== true) {
      let answer: Answer;
      try {
        answer = this.#answer(step.value);
      } catch (error) {
        step = operation.throw(error);
        continue;
      }
      step = operation.next(answer);
    }
    return step.value;
  }

  #answer(ask: Ask): Answer {
    if (ask.kind === "insert") return this.#insert(ask);
    const { sql, values, writes } = ask.bind("sqlite");
    const { statement, gives } = this.#prepare(sql);
    if (writes) this.#wrote = true;
    if (gives) return { rows: statement.all(...values) as Answer["rows"], changes: 0 };
    return { rows: [], changes: Number(statement.run(...values).changes) };
  }

  /** Several rows a statement, or rows as JSON, were measured to be slower with node:sqlite: binding costs more than stepping. */
  #insert(insert: Insert): Answer {
    const { statement } = this.#prepare(insertText(insert, `(${insert.columns.map(() => "?").join(", ")})`));
    this.#wrote = true;
    let changes = 0;
    const keys: (number | null)[] = [];
    const fresh: boolean[] = [];
    // What a run answers is not kept: ten thousand objects that outlive it are copied by the collector.
    for (const values of insert.rows) {
      const result = statement.run(...values);
      const isNew = result.changes === 1;
      if (isNew) changes++;
      if (insert.tell === "fresh") fresh.push(isNew);
      else if (insert.tell === "keys") keys.push(isNew ? Number(result.lastInsertRowid) : null);
    }
    return { rows: [], changes, keys, fresh };
  }

  #run(sql: string): void {
    this.#prepare(sql).statement.run();
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    const prepared = { statement, gives: statement.columns().length > 0 };
    if (this.#prepared.size >= preparedMax) this.#prepared.clear();
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}

/** https://www.sqlite.org/rescode.html#busy */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === 5;
}
