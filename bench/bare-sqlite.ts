import type { SqlValue } from "../src/core/sql.ts";
import { deserializeFlags, openFlags, resultCode } from "../src/kernel/drivers/sql/sql-codes.ts";
import { loadSqlEngine, type SqlEngine } from "../src/kernel/drivers/sql/sql-engine.ts";
import { SqlHeap } from "../src/kernel/drivers/sql/sql-heap.ts";

/**
 * SQLite's WebAssembly build with nothing of the kernel's around it: no observer, no guarded function, no limit, no transaction. A text is
 * prepared, stepped and read into the result that the kernel's driver gives.
 */
export class BareSqlite {
  readonly #engine: SqlEngine;
  readonly #heap: SqlHeap;
  readonly #db: number;
  readonly #out: number;

  static async open(file: Uint8Array): Promise<BareSqlite> {
    return new BareSqlite(await loadSqlEngine(), file);
  }

  private constructor(engine: SqlEngine, file: Uint8Array) {
    const { exports: sqlite } = engine;
    this.#engine = engine;
    this.#heap = new SqlHeap(engine);
    this.#out = sqlite.malloc(16);
    const name = this.#place(":memory:");
    sqlite.sqlite3_open_v2(name.at, this.#out, openFlags.readWrite | openFlags.create | openFlags.memory, 0);
    sqlite.free(name.at);
    this.#db = this.#heap.pointerAt(this.#out);
    const size = BigInt(file.length);
    const at = sqlite.sqlite3_malloc64(size);
    this.#heap.bytes.set(file, at);
    const flags = deserializeFlags.freeOnClose | deserializeFlags.resizeable;
    const code = sqlite.sqlite3_deserialize(this.#db, 0, at, size, size, flags);
    if (code !== resultCode.ok) throw new Error(`bare SQLite cannot open the database: code ${code}`);
  }

  query(sql: string) {
    const { exports: sqlite } = this.#engine;
    const heap = this.#heap;
    const changesBefore = sqlite.sqlite3_total_changes(this.#db);
    const { at, length } = this.#place(sql);
    const code = sqlite.sqlite3_prepare_v3(this.#db, at, length, 0, this.#out, this.#out + 4);
    if (code !== resultCode.ok) throw new Error(`${sql} does not compile: code ${code}`);
    const stmt = heap.pointerAt(this.#out);
    const count = sqlite.sqlite3_column_count(stmt);
    const columns: string[] = [];
    for (let index = 0; index < count; index++) columns.push(heap.cString(sqlite.sqlite3_column_name(stmt, index)));
    const rows: SqlValue[][] = [];
    while (sqlite.sqlite3_step(stmt) === resultCode.row) {
      const row = new Array<SqlValue>(count);
      for (let index = 0; index < count; index++) row[index] = heap.column(stmt, index);
      rows.push(row);
    }
    const ended = sqlite.sqlite3_finalize(stmt);
    sqlite.free(at);
    if (ended !== resultCode.ok) throw new Error(`${sql} failed: code ${ended}`);
    return { columns, rows, rowsChanged: sqlite.sqlite3_total_changes(this.#db) - changesBefore };
  }

  [Symbol.dispose](): void {
    this.#engine.exports.sqlite3_close_v2(this.#db);
    this.#engine.exports.free(this.#out);
  }

  #place(text: string): { readonly at: number; readonly length: number } {
    const bytes = encoder.encode(text);
    const at = this.#engine.exports.malloc(bytes.length + 1);
    this.#heap.bytes.set(bytes, at);
    this.#heap.bytes[at + bytes.length] = 0;
    return { at, length: bytes.length };
  }
}

const encoder = new TextEncoder();
