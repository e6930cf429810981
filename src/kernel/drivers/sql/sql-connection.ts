import { FaradayError } from "../../../core/errors.ts";
import type { ResultSet, SqlValue } from "../../../core/sql.ts";
import {
  configOption,
  deserializeFlags,
  limitId,
  openFlags,
  resultCode,
  serializeNoCopy,
  statusLargestPiece,
  statusMemoryUsed,
} from "./sql-codes.ts";
import { type Pointer, progressSteps, type SqlEngine, type SqlExports } from "./sql-engine.ts";
import { SqlHeap } from "./sql-heap.ts";

const databaseGrowthBytes = 64_000_000;
const utf8 = 1;
/** A schema may go on using it. */
const innocuous = 0x200000;
/** Deterministic, innocuous, and keeping subtypes such as JSON: so a schema may go on using it. */
const pureFunction = 0x800 | innocuous | 0x1000000;

/** SQLite's own message for what failed, with its code. */
export class SqlError extends Error {
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.name = "SqlError";
    this.code = code;
  }
}

/** A compiled statement and where the rest of its text begins. */
export interface Compiled {
  /** 0 where the text had nothing but blanks and comments. */
  readonly stmt: Pointer;
  readonly rest: Pointer;
}

/** One in-memory database in the module: what is common to agents' sessions and to trusted worlds. */
export class SqlConnection implements Disposable {
  readonly sqlite: SqlExports;
  readonly heap: SqlHeap;
  readonly db: Pointer;
  readonly #engine: SqlEngine;
  readonly #scratch: Pointer;
  readonly #kept = new Map<string, Pointer>();
  #open = true;

  /** A database without tables, for a script to fill: foreign keys are not enforced while it does. */
  static empty(engine: SqlEngine): SqlConnection {
    const connection = new SqlConnection(engine, null);
    connection.set(configOption.foreignKeys, false);
    return connection;
  }

  constructor(engine: SqlEngine, file: Uint8Array | null) {
    this.#engine = engine;
    this.sqlite = engine.exports;
    this.heap = new SqlHeap(engine);
    this.#scratch = this.sqlite.malloc(16);
    this.db = this.#openMemory();
    if (file !== null) this.load(file);
    this.#configure();
  }

  /** Makes the database this file. No statement may be under way. */
  load(file: Uint8Array): void {
    const size = BigInt(file.length);
    const at = this.sqlite.sqlite3_malloc64(size);
    if (at === 0) throw new FaradayError(`SQLite has no memory for a database of ${file.length} bytes`);
    this.heap.bytes.set(file, at);
    const flags = deserializeFlags.freeOnClose | deserializeFlags.resizeable;
    this.check(this.sqlite.sqlite3_deserialize(this.db, 0, at, size, size, flags));
  }

  /**
   * Writes this file over the database, in place: what is compiled and what is known of the schema stays. Only where nothing but rows was
   * changed since; no statement may be under way.
   * @returns Whether it could: not where the file has another size or another schema by now.
   */
  rewind(file: Uint8Array): boolean {
    const now = this.file;
    if (now.length !== file.length || schemaCookie(now) !== schemaCookie(file)) return false;
    // The pager drops its pages once it sees that the change counter is another one.
    now.set(file);
    this.sqlite.sqlite3_set_last_insert_rowid(this.db, 0n);
    return true;
  }

  /** The committed file, not copied: valid until anything else is done with the module. */
  get file(): Uint8Array {
    const at = this.sqlite.sqlite3_serialize(this.db, 0, this.#scratch, serializeNoCopy);
    const size = this.heap.int64At(this.#scratch);
    return this.heap.bytes.subarray(at, at + size);
  }

  /** A copy of the database file. */
  serialize(): Uint8Array {
    const at = this.sqlite.sqlite3_serialize(this.db, 0, this.#scratch, 0);
    const size = this.heap.int64At(this.#scratch);
    if (at === 0 && size > 0) throw new FaradayError(`SQLite has no memory for a copy of ${size} bytes`);
    const copy = this.heap.bytes.slice(at, at + size);
    this.sqlite.sqlite3_free(at);
    return copy;
  }

  get inTransaction(): boolean {
    return this.sqlite.sqlite3_get_autocommit(this.db) === 0;
  }

  /** Memory that SQLite uses in this thread, all connections together. */
  get memoryUsed(): number {
    this.sqlite.sqlite3_status64(statusMemoryUsed, this.#scratch, this.#scratch + 8, 0);
    return this.heap.int64At(this.#scratch);
  }

  /** The largest piece of memory that SQLite asked for in this thread, since that was last forgotten. */
  largestPiece(forget: boolean): number {
    this.sqlite.sqlite3_status64(statusLargestPiece, this.#scratch, this.#scratch + 8, forget ? 1 : 0);
    return this.heap.int64At(this.#scratch + 8);
  }

  /** The file's change counter: it moves with every commit that changed something. */
  get version(): number {
    return int32At(this.file, 24);
  }

  /** Puts a text into the module's memory; the caller frees it. */
  place(text: string): { readonly at: Pointer; readonly end: Pointer } {
    // No character takes more than three bytes a UTF-16 unit.
    const room = text.length * 3 + 1;
    const at = this.sqlite.malloc(room);
    if (at === 0) throw new FaradayError(`SQLite has no memory for a text of ${room} bytes`);
    const end = at + this.heap.write(text, at, room);
    this.heap.bytes[end] = 0;
    return { at, end };
  }

  /** Compiles the first statement between two places, as the engine walks a text. */
  compile(at: Pointer, end: Pointer): Compiled | SqlError {
    const code = this.sqlite.sqlite3_prepare_v3(this.db, at, end - at, 0, this.#scratch, this.#scratch + 4);
    if (code !== resultCode.ok) return this.error(code);
    return { stmt: this.heap.pointerAt(this.#scratch), rest: this.heap.pointerAt(this.#scratch + 4) };
  }

  /** Trusted SQL, any number of statements; rows are those of the last statement that has columns. */
  run(sql: string): ResultSet {
    const { at, end } = this.place(sql);
    let result: ResultSet = { columns: [], rows: [] };
    try {
      for (let from = at; from < end; ) {
        const compiled = this.compile(from, end);
        if (compiled instanceof SqlError) throw compiled;
        if (compiled.stmt !== 0) result = this.#runStatement(compiled.stmt) ?? result;
        if (compiled.rest <= from) break;
        from = compiled.rest;
      }
    } finally {
      this.sqlite.free(at);
    }
    return result;
  }

  /** Runs a trusted text of one statement without rows, compiled once. Answers SQLite's error, if any. */
  step(sql: string): SqlError | null {
    let stmt = this.#kept.get(sql);
    if (stmt === undefined) {
      const { at, end } = this.place(sql);
      const compiled = this.compile(at, end);
      this.sqlite.free(at);
      if (compiled instanceof SqlError) return compiled;
      stmt = compiled.stmt;
      this.#kept.set(sql, stmt);
    }
    const code = this.sqlite.sqlite3_step(stmt);
    const failed = code === resultCode.done || code === resultCode.row ? null : this.error(code);
    this.sqlite.sqlite3_reset(stmt);
    return failed;
  }

  columns(stmt: Pointer): readonly string[] {
    const names: string[] = [];
    const count = this.sqlite.sqlite3_column_count(stmt);
    for (let index = 0; index < count; index++)
      names.push(this.heap.cString(this.sqlite.sqlite3_column_name(stmt, index)));
    return names;
  }

  row(stmt: Pointer, count: number): readonly SqlValue[] {
    const row = new Array<SqlValue>(count);
    for (let index = 0; index < count; index++) row[index] = this.heap.column(stmt, index);
    return row;
  }

  error(code: number): SqlError {
    return new SqlError(this.heap.cString(this.sqlite.sqlite3_errmsg(this.db)), code & 0xff);
  }

  check(code: number): void {
    if (code !== resultCode.ok) throw this.error(code);
  }

  /** Lets the engine tell its observer everything that this connection does. */
  observe(): void {
    const { authorize, change } = this.#engine.callbacks;
    this.check(this.sqlite.sqlite3_set_authorizer(this.db, authorize, 0));
    this.sqlite.sqlite3_preupdate_hook(this.db, change, 0);
  }

  limit(id: number, value: number): void {
    this.sqlite.sqlite3_limit(this.db, id, value);
  }

  set(option: number, on: boolean): void {
    this.#engine.configure(this.db, option, on);
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    for (const stmt of this.#kept.values()) this.sqlite.sqlite3_finalize(stmt);
    this.sqlite.sqlite3_close_v2(this.db);
    this.sqlite.free(this.#scratch);
  }

  #openMemory(): Pointer {
    const { at } = this.place(":memory:");
    const flags = openFlags.readWrite | openFlags.create | openFlags.memory;
    const code = this.sqlite.sqlite3_open_v2(at, this.#scratch, flags, 0);
    this.sqlite.free(at);
    if (code !== resultCode.ok) throw new FaradayError(`SQLite cannot open a database in memory: code ${code}`);
    return this.heap.pointerAt(this.#scratch);
  }

  #configure(): void {
    const { callbacks } = this.#engine;
    this.set(configOption.foreignKeys, true);
    this.set(configOption.defensive, true);
    this.limit(limitId.attached, 0);
    this.limit(limitId.likePatternLength, 1_000);
    this.limit(limitId.triggerDepth, 100);
    this.sqlite.sqlite3_progress_handler(this.db, progressSteps, callbacks.progress, 0);
    this.#replaceFunction({ name: "random", args: 0, callback: callbacks.random }, utf8);
    this.#replaceFunction({ name: "randomblob", args: 1, callback: callbacks.randomBlob }, utf8);
    this.#replaceFunction({ name: "changes", args: 0, callback: callbacks.changes }, utf8 | innocuous);
    this.#replaceFunction({ name: "total_changes", args: 0, callback: callbacks.totalChanges }, utf8 | innocuous);
    for (const guarded of this.#engine.guarded) this.#replaceFunction(guarded, utf8 | pureFunction);
    const pages = this.run("PRAGMA page_count").rows[0]?.[0] as number;
    const pageBytes = this.run("PRAGMA page_size").rows[0]?.[0] as number;
    const growth = Math.ceil(databaseGrowthBytes / pageBytes);
    this.run(
      `PRAGMA max_page_count = ${pages + growth}; PRAGMA temp.max_page_count = ${growth}; PRAGMA cache_size = -2000; PRAGMA cache_spill = OFF`,
    );
  }

  #replaceFunction(
    replaced: { readonly name: string; readonly args: number; readonly callback: Pointer },
    flags: number,
  ): void {
    const { at } = this.place(replaced.name);
    const code = this.sqlite.sqlite3_create_function_v2(
      this.db,
      at,
      replaced.args,
      flags,
      0,
      replaced.callback,
      0,
      0,
      0,
    );
    this.sqlite.free(at);
    this.check(code);
  }

  /** Runs a trusted statement to its end and frees it. */
  finish(stmt: Pointer): void {
    this.#runStatement(stmt);
  }

  #runStatement(stmt: Pointer): ResultSet | null {
    const count = this.sqlite.sqlite3_column_count(stmt);
    const columns = count === 0 ? [] : this.columns(stmt);
    const rows: (readonly SqlValue[])[] = [];
    let code = this.sqlite.sqlite3_step(stmt);
    for (; code === resultCode.row; code = this.sqlite.sqlite3_step(stmt)) rows.push(this.row(stmt, count));
    const failed = code === resultCode.done ? null : this.error(code);
    this.sqlite.sqlite3_finalize(stmt);
    if (failed !== null) throw failed;
    return count === 0 ? null : { columns, rows };
  }
}

/** It moves with everything that changes the schema, and with VACUUM. */
function schemaCookie(file: Uint8Array): number {
  return int32At(file, 40);
}

function int32At(file: Uint8Array, at: number): number {
  return (
    ((file[at] as number) << 24) |
    ((file[at + 1] as number) << 16) |
    ((file[at + 2] as number) << 8) |
    (file[at + 3] as number)
  );
}
