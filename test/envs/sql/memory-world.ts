import { DatabaseSync } from "node:sqlite";
import { shopScript } from "../../../envs/sql/shop.ts";
import type { SqlResult, SqlValue, SqlWorld } from "../../../src/core/sql.ts";

/** A database in memory without a kernel: fast, and independent of the driver that runs agents' SQL. */
export class MemoryWorld implements SqlWorld, Disposable {
  readonly #live: DatabaseSync;
  readonly #copy: DatabaseSync;
  readonly #initial: string;

  constructor(script = shopScript(1)) {
    this.#live = open(script);
    this.#copy = open(script);
    this.#initial = dump(this.#copy);
  }

  query(sql: string): SqlResult {
    return run(this.#live, sql);
  }

  digest(): string {
    return dump(this.#live);
  }

  /** Puts the live database back after `use`. */
  undone<T>(use: () => T): T {
    return undone(this.#live, use);
  }

  rehearse(sql: string): { readonly result: SqlResult; readonly digest: string } {
    return undone(this.#copy, () => {
      const result = run(this.#copy, sql);
      return { result, digest: sql.startsWith("SELECT") ? this.#initial : dump(this.#copy) };
    });
  }

  [Symbol.dispose](): void {
    this.#live.close();
    this.#copy.close();
  }
}

function open(script: string): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  database.exec(script);
  return database;
}

function run(database: DatabaseSync, sql: string): SqlResult {
  const before = totalChanges(database);
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  const rows = statement.all() as unknown as SqlValue[][];
  const columns = statement.columns().map(({ name }) => name);
  return { columns, rows, rowsChanged: totalChanges(database) - before };
}

function totalChanges(database: DatabaseSync): number {
  return Number(database.prepare("SELECT total_changes() AS count").get()?.count);
}

function undone<T>(database: DatabaseSync, use: () => T): T {
  database.exec("SAVEPOINT undone");
  try {
    return use();
  } finally {
    database.exec("ROLLBACK TO undone; RELEASE undone");
  }
}

function dump(database: DatabaseSync): string {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type='table' ORDER BY name").all();
  return JSON.stringify(tables.map(({ name }) => [name, database.prepare(`SELECT * FROM ${name} ORDER BY 1`).all()]));
}
