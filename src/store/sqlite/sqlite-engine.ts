import { statSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "../sql/engine.ts";
import { type Answer, type Ask, type Insert, insertText, type Operation } from "../sql/operation.ts";
import { openDatabase } from "./open-database.ts";

interface Job {
  readonly writes: boolean;
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
 * Runs what came in one turn of the event loop in one transaction, since syncing to disk takes longer than most operations. Each has a
 * savepoint: one that fails takes nothing of the others along. None is told of before all are on disk.
 */
export class SqliteEngine implements Engine {
  readonly dialect = "sqlite";
  readonly name: string;
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, Prepared>();
  #jobs: Job[] = [];
  #scheduled = false;

  /** @throws {InputError} when no store can be at the path. */
  static open(path: string, options: { readonly mustExist: boolean }): SqliteEngine {
    return new SqliteEngine(path, openDatabase(path, options));
  }

  constructor(path: string, database: DatabaseSync) {
    this.name = path;
    this.#database = database;
  }

  write<Result>(operation: () => Operation<Result>): Promise<Result> {
    return this.#add(operation, true);
  }

  read<Result>(operation: () => Operation<Result>): Promise<Result> {
    return this.#add(operation, false);
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
    if (this.#database.isOpen) this.#database.close();
  }

  #add<Result>(operation: () => Operation<Result>, writes: boolean): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#jobs.push({ writes, operation, resolve, reject, since: performance.now() });
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
    const settled: (() => void)[] = [];
    try {
      this.#database.exec(jobs.some(({ writes }) => writes) ? "BEGIN IMMEDIATE" : "BEGIN");
      for (const job of jobs) settled.push(this.#attempt(job, jobs.length > 1));
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#rollBack();
      this.#failed(jobs, error);
      return;
    }
    for (const settle of settled) settle();
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

  /** @returns What tells the job of its end, once that is on disk. */
  #attempt({ operation, resolve, reject }: Job, apart: boolean): () => void {
    if (apart) this.#run("SAVEPOINT one");
    try {
      const result = this.#drive(operation());
      if (apart) this.#run("RELEASE one");
      return () => resolve(result as never);
    } catch (error) {
      // Alone, its transaction ends with it; so it does where SQLite has ended the transaction already.
      if (!apart || !this.#database.isTransaction || isBusy(error)) throw error;
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
    const { sql, values } = ask.bind("sqlite");
    const { statement, gives } = this.#prepare(sql);
    if (gives) return { rows: statement.all(...values) as Answer["rows"], changes: 0 };
    return { rows: [], changes: Number(statement.run(...values).changes) };
  }

  /** Several rows a statement, or rows as JSON, were measured to be slower with node:sqlite: binding costs more than stepping. */
  #insert(insert: Insert): Answer {
    const tuple = `(${insert.columns.map(() => "?").join(", ")})`;
    const { statement } = this.#prepare(insertText(insert, tuple));
    const results = insert.rows.map((values) => statement.run(...values));
    const changes = results.reduce((sum, result) => sum + Number(result.changes), 0);
    if (insert.tell === "fresh") return { rows: [], changes, fresh: results.map((result) => result.changes === 1) };
    const keys = results.map((result) => (result.changes === 1 ? Number(result.lastInsertRowid) : null));
    return { rows: [], changes, keys };
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
