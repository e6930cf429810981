import sqlite3InitModule from "@sqlite.org/sqlite-wasm";
import type { SqlExports } from "../../src/kernel/drivers/sql/sql-engine.ts";

/** What one text answered when nobody watched. */
export interface Ran {
  readonly error: string | null;
  readonly rows: readonly (readonly unknown[])[];
  readonly rowCount: number;
  readonly steps: number;
  readonly resultBytes: number;
}

type Sqlite = Awaited<ReturnType<typeof sqlite3InitModule>>;
type Connection = InstanceType<Sqlite["oo1"]["DB"]>;

const stepsPerCall = 1_000;
/** Beyond any limit of the policies; a text that is stopped here would have gone on. */
const stepsMax = 2_500_000;
const rowsKeptMax = 60_000;

const { capi, wasm, oo1 } = await sqlite3InitModule();
/** The module's functions on plain numbers. Only their types are shared with the kernel. */
const sqlite = wasm.exports as unknown as SqlExports;
const memoryUsed = 0;
const [row, done] = [100, 101];

/** A database on SQLite alone: no authorizer, no hooks, nothing of the kernel. It never outlives its process. */
export class BareDatabase implements Disposable {
  readonly #connection: Connection;
  readonly #db: number;
  #steps = 0;

  static image(script: string): Uint8Array {
    using database = new BareDatabase(null);
    database.#connection.exec(script);
    return capi.sqlite3_js_db_export(database.#connection);
  }

  /** A copy that a script has changed. */
  static changed(image: Uint8Array, script: string): Uint8Array {
    using database = new BareDatabase(image);
    database.#connection.exec(`PRAGMA foreign_keys = OFF; ${script}`);
    return capi.sqlite3_js_db_export(database.#connection);
  }

  constructor(image: Uint8Array | null) {
    this.#connection = new oo1.DB(":memory:");
    this.#db = this.#connection.pointer as unknown as number;
    if (image !== null) this.#load(image);
    if (image !== null) this.#connection.exec("PRAGMA foreign_keys = ON");
    const progress = () => {
      this.#steps += stepsPerCall;
      return this.#steps > stepsMax ? 1 : 0;
    };
    capi.sqlite3_progress_handler(this.#connection.pointer as never, stepsPerCall, progress, 0 as never);
  }

  /** Runs a text as the engine walks it, to its end or its first error. */
  run(sql: string): Ran {
    this.#steps = 0;
    const text = new TextEncoder().encode(`${sql}\0`);
    const start = wasm.allocFromTypedArray(text) as number;
    const places = wasm.alloc(16) as number;
    let answer = { rows: [] as (readonly unknown[])[], rowCount: 0, resultBytes: 0 };
    let error: string | null = null;
    for (let at = start; at < start + text.length - 1 && error === null; ) {
      const length = start + text.length - 1 - at;
      const code = sqlite.sqlite3_prepare_v3(this.#db, at, length, 0, places, places + 8);
      if (code !== 0) {
        error = this.#message();
        break;
      }
      const stmt = wasm.peekPtr(places) as number;
      const rest = wasm.peekPtr(places + 8) as number;
      if (rest <= at) break;
      at = rest;
      if (stmt === 0) continue;
      const stepped = this.#step(stmt);
      error = stepped.error;
      if (stepped.columns > 0) answer = stepped;
    }
    wasm.dealloc(places as never);
    wasm.dealloc(start as never);
    return { error, ...answer, steps: this.#steps };
  }

  /** Rows of a text of the confirmation's own, which must run. */
  rows(sql: string): readonly (readonly unknown[])[] {
    const { error, rows } = this.run(sql);
    if (error !== null) throw new Error(`${sql}: ${error}`);
    return rows;
  }

  get inTransaction(): boolean {
    return sqlite.sqlite3_get_autocommit(this.#db) === 0;
  }

  /** The most memory that SQLite used since this was last asked. */
  memoryHighest(): number {
    const places = wasm.alloc(16) as number;
    sqlite.sqlite3_status64(memoryUsed, places, places + 8, 1);
    const highest = Number(wasm.peek(places + 8, "i64"));
    wasm.dealloc(places as never);
    return highest;
  }

  /** The file's change counter. */
  get version(): string {
    return Buffer.from(capi.sqlite3_js_db_export(this.#connection).subarray(24, 28)).toString("hex");
  }

  get rowsChanged(): number {
    return sqlite.sqlite3_total_changes(this.#db);
  }

  limitValues(bytes: number): void {
    sqlite.sqlite3_limit(this.#db, capi.SQLITE_LIMIT_LENGTH, bytes);
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }

  #load(image: Uint8Array): void {
    const at = wasm.allocFromTypedArray(image) as number;
    const flags = capi.SQLITE_DESERIALIZE_FREEONCLOSE | capi.SQLITE_DESERIALIZE_RESIZEABLE;
    const size = BigInt(image.length);
    const code = sqlite.sqlite3_deserialize(this.#db, 0, at, size, size, flags);
    if (code !== 0) throw new Error(`deserialize: ${code}`);
  }

  #step(stmt: number) {
    const columns = sqlite.sqlite3_column_count(stmt);
    const rows: (readonly unknown[])[] = [];
    let [rowCount, resultBytes] = [0, 0];
    let code = sqlite.sqlite3_step(stmt);
    for (; code === row; code = sqlite.sqlite3_step(stmt)) {
      rowCount++;
      if (rowCount > rowsKeptMax) break;
      const values = Array.from({ length: columns }, (_, index) => capi.sqlite3_column_js(stmt as never, index));
      for (const value of values)
        if (typeof value === "string" || value instanceof Uint8Array) resultBytes += value.length;
      rows.push(values);
    }
    const error = code === done || code === row ? null : this.#message();
    sqlite.sqlite3_finalize(stmt);
    return { error, columns, rows, rowCount, resultBytes };
  }

  #message(): string {
    return wasm.cstrToJs(sqlite.sqlite3_errmsg(this.#db) as never) ?? "";
  }
}
