import { statSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Engine } from "../sql/engine.ts";
import { type Answer, type Ask, type Insert, insertText, type Operation } from "../sql/operation.ts";
import { openDatabase } from "./open-database.ts";

interface Job {
  readonly writes: boolean;
  readonly operation: () => Operation<unknown>;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

interface Prepared {
  readonly statement: StatementSync;
  /** Whether it gives rows. */
  readonly gives: boolean;
}

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
    this.#flush();
    if (this.#database.isOpen) this.#database.close();
  }

  #add<Result>(operation: () => Operation<Result>, writes: boolean): Promise<Result> {
    return new Promise((resolve, reject) => {
      // After the turn's input and output: then all requests that came in together are here.
      if (this.#jobs.length === 0) setImmediate(() => this.#flush());
      this.#jobs.push({ writes, operation, resolve, reject });
    });
  }

  #flush(): void {
    const jobs = this.#jobs;
    this.#jobs = [];
    if (jobs.length === 0) return;
    const settled: (() => void)[] = [];
    try {
      this.#database.exec(jobs.some(({ writes }) => writes) ? "BEGIN IMMEDIATE" : "BEGIN");
      for (const job of jobs) settled.push(this.#attempt(job, jobs.length > 1));
      this.#database.exec("COMMIT");
    } catch (error) {
      // SQLite has rolled back by itself after some errors, such as a full disk.
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec("ROLLBACK");
      for (const { reject } of jobs) reject(error);
      return;
    }
    for (const settle of settled) settle();
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
      if (!apart || !this.#database.isTransaction) throw error;
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
    if (insert.returning !== undefined) {
      const rows = insert.rows.map((values) => statement.get(...values)).filter((row) => row !== undefined);
      return { rows, changes: rows.length };
    }
    const fresh: boolean[] = [];
    let changes = 0;
    for (const values of insert.rows) {
      const inserted = Number(statement.run(...values).changes);
      changes += inserted;
      if (insert.tell === true) fresh.push(inserted === 1);
    }
    return { rows: [], changes, fresh };
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
