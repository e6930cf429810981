import sqlite3InitModule from "@sqlite.org/sqlite-wasm";
import { FaradayError } from "../../../core/errors.ts";
import { action, limitId, openFlags, resultCode } from "./sql-codes.ts";
import { guard, guardedFunctions } from "./sql-guarded-functions.ts";
import { SqlHeap } from "./sql-heap.ts";
import { matchPatterns, patternFunctions } from "./sql-pattern-functions.ts";

/** A pointer into the memory of the WebAssembly module. */
export type Pointer = number;

/** Functions of SQLite's C interface as the module exports them: pointers are numbers, 64-bit integers are bigints. */
export interface SqlExports {
  malloc(bytes: number): Pointer;
  free(at: Pointer): void;
  emscripten_stack_get_current(): Pointer;
  _emscripten_stack_restore(at: Pointer): void;
  sqlite3_free(at: Pointer): void;
  sqlite3_malloc64(bytes: bigint): Pointer;
  sqlite3_open_v2(name: Pointer, db: Pointer, flags: number, vfs: Pointer): number;
  sqlite3_close_v2(db: Pointer): number;
  sqlite3_deserialize(db: Pointer, schema: Pointer, at: Pointer, size: bigint, room: bigint, flags: number): number;
  sqlite3_serialize(db: Pointer, schema: Pointer, size: Pointer, flags: number): Pointer;
  sqlite3_prepare_v3(db: Pointer, sql: Pointer, bytes: number, flags: number, stmt: Pointer, tail: Pointer): number;
  sqlite3_step(stmt: Pointer): number;
  sqlite3_reset(stmt: Pointer): number;
  sqlite3_finalize(stmt: Pointer): number;
  sqlite3_stmt_readonly(stmt: Pointer): number;
  sqlite3_stmt_isexplain(stmt: Pointer): number;
  sqlite3_stmt_status(stmt: Pointer, counter: number, reset: number): number;
  sqlite3_column_count(stmt: Pointer): number;
  sqlite3_column_name(stmt: Pointer, index: number): Pointer;
  sqlite3_column_type(stmt: Pointer, index: number): number;
  sqlite3_column_double(stmt: Pointer, index: number): number;
  sqlite3_column_int64(stmt: Pointer, index: number): bigint;
  sqlite3_column_text(stmt: Pointer, index: number): Pointer;
  sqlite3_column_blob(stmt: Pointer, index: number): Pointer;
  sqlite3_column_bytes(stmt: Pointer, index: number): number;
  sqlite3_errmsg(db: Pointer): Pointer;
  sqlite3_error_offset(db: Pointer): number;
  sqlite3_get_autocommit(db: Pointer): number;
  sqlite3_changes(db: Pointer): number;
  sqlite3_total_changes(db: Pointer): number;
  sqlite3_set_last_insert_rowid(db: Pointer, rowid: bigint): void;
  sqlite3_context_db_handle(context: Pointer): Pointer;
  sqlite3_interrupt(db: Pointer): void;
  sqlite3_limit(db: Pointer, id: number, value: number): number;
  sqlite3_set_authorizer(db: Pointer, callback: Pointer, context: Pointer): number;
  sqlite3_preupdate_hook(db: Pointer, callback: Pointer, context: Pointer): Pointer;
  sqlite3_progress_handler(db: Pointer, steps: number, callback: Pointer, context: Pointer): void;
  sqlite3_create_function_v2(
    db: Pointer,
    name: Pointer,
    args: number,
    flags: number,
    app: Pointer,
    func: Pointer,
    step: Pointer,
    final: Pointer,
    destroy: Pointer,
  ): number;
  sqlite3_result_int64(context: Pointer, value: bigint): void;
  sqlite3_result_blob(context: Pointer, at: Pointer, bytes: number, destructor: number): void;
  sqlite3_result_int(context: Pointer, value: number): void;
  sqlite3_result_error(context: Pointer, message: Pointer, bytes: number): void;
  sqlite3_result_error_toobig(context: Pointer): void;
  sqlite3_result_error_code(context: Pointer, code: number): void;
  sqlite3_result_double(context: Pointer, value: number): void;
  sqlite3_result_text(context: Pointer, at: Pointer, bytes: number, destructor: number): void;
  sqlite3_result_null(context: Pointer): void;
  sqlite3_result_subtype(context: Pointer, subtype: number): void;
  sqlite3_value_int(value: Pointer): number;
  sqlite3_value_bytes(value: Pointer): number;
  sqlite3_value_type(value: Pointer): number;
  sqlite3_value_int64(value: Pointer): bigint;
  sqlite3_value_double(value: Pointer): number;
  sqlite3_value_text(value: Pointer): Pointer;
  sqlite3_value_blob(value: Pointer): Pointer;
  sqlite3_bind_int64(stmt: Pointer, index: number, value: bigint): number;
  sqlite3_bind_double(stmt: Pointer, index: number, value: number): number;
  sqlite3_bind_text(stmt: Pointer, index: number, at: Pointer, bytes: number, destructor: number): number;
  sqlite3_bind_zeroblob(stmt: Pointer, index: number, bytes: number): number;
  sqlite3_bind_blob(stmt: Pointer, index: number, at: Pointer, bytes: number, destructor: number): number;
  sqlite3_clear_bindings(stmt: Pointer): number;
  sqlite3_status64(op: number, current: Pointer, highest: Pointer, reset: number): number;
  sqlite3_result_zeroblob(context: Pointer, bytes: number): void;
}

/** Who is told what the engine does while a text runs; nobody is while trusted code runs. */
export interface SqlObserver {
  /** Answers 0 to go on, or `authDeny`. The pointers are C strings or null. */
  authorize(action: number, first: Pointer, second: Pointer, schema: Pointer, origin: Pointer): number;
  /** A row is about to change: `action` is the authorizer's code of INSERT, UPDATE or DELETE, `row` its rowid before, or when it is new. */
  change(action: number, schema: Pointer, table: Pointer, row: bigint): void;
  /** Called every {@link progressSteps} steps; answers whether to stop. */
  progress(): boolean;
  /** Takes work that no step shows; answers whether to go on. */
  spend(steps: number): boolean;
  /** Random 32 bits for SQL's `random()`. */
  random(): number;
  /** Changes that the connection had seen before whoever acts now: SQL's `total_changes()` counts from there. */
  readonly changesBefore: number;
}

export const progressSteps = 1_000;
export const authDeny = 1;
/** Makes the engine leave out what it asked for; a pragma then compiles to nothing. */
export const authIgnore = 2;

/** The one SQLite of this thread. */
export interface SqlEngine {
  readonly exports: SqlExports;
  /** Its buffer is another one after the memory has grown. */
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Sets one switch of a connection. */
  configure(db: Pointer, op: number, on: boolean): void;
  /** Callbacks as function pointers of the module, shared by all connections. */
  readonly callbacks: {
    readonly authorize: Pointer;
    readonly change: Pointer;
    readonly progress: Pointer;
    readonly random: Pointer;
    readonly randomBlob: Pointer;
    readonly changes: Pointer;
    readonly totalChanges: Pointer;
  };
  /** Functions that take the place of SQLite's own on every connection. */
  readonly guarded: readonly { readonly name: string; readonly args: number; readonly callback: Pointer }[];
  /** Gives back the stack of the module after it gave up in the middle of a call. */
  recover(): void;
  /** Set while a text runs, and only then: everything here is synchronous. */
  observer: SqlObserver | null;
}

/** The longest value anywhere in this thread. */
const valueBytesMax = 100_000_000;

let loading: Promise<SqlEngine> | undefined;

/** Loads SQLite's WebAssembly module, once a thread. */
export function loadSqlEngine(): Promise<SqlEngine> {
  loading ??= load();
  return loading;
}

/**
 * SQL's `now`, in milliseconds since 1970: 2025-01-01T12:00:00Z. The clock stands still, so that a query that asks for
 * the time gives the same answer in every run.
 */
export const sqlNowMs = 1_735_732_800_000;
const julianEpochMs = 210_866_760_000_000;

async function load(): Promise<SqlEngine> {
  const silence = { print: () => {}, printErr: () => {} };
  const init = sqlite3InitModule as unknown as (options: typeof silence) => ReturnType<typeof sqlite3InitModule>;
  const { capi, wasm, config } = await init(silence);
  Object.assign(config, { log: () => {}, warn: () => {}, error: () => {}, debug: () => {} });
  const exports = checked(wasm.exports);
  const stack = exports.emscripten_stack_get_current();
  stopClock(capi, wasm);
  const engine: SqlEngine = {
    exports,
    memory: (wasm as unknown as Pick<SqlEngine, "memory">).memory,
    configure: (db, op, on) => void capi.sqlite3_db_config(db, op as never, on ? 1 : 0, 0),
    callbacks: {
      authorize: wasm.installFunction(
        "i(pipppp)",
        (_: Pointer, code: number, a: Pointer, b: Pointer, c: Pointer, d: Pointer) =>
          engine.observer === null ? 0 : engine.observer.authorize(code, a, b, c, d),
      ),
      change: wasm.installFunction(
        "v(ppippjj)",
        (_: Pointer, _db: Pointer, code: number, schema: Pointer, table: Pointer, before: bigint, after: bigint) =>
          engine.observer?.change(code, schema, table, code === action.insert ? after : before),
      ),
      progress: wasm.installFunction("i(p)", () => (engine.observer?.progress() === true ? 1 : 0)),
      random: wasm.installFunction("v(pip)", (context: Pointer) =>
        exports.sqlite3_result_int64(context, randomInt64(engine.observer)),
      ),
      randomBlob: wasm.installFunction("v(pip)", (context: Pointer, _count: number, values: Pointer) =>
        answerRandomBlob(engine, context, values),
      ),
      changes: wasm.installFunction("v(pip)", (context: Pointer) => {
        const db = exports.sqlite3_context_db_handle(context);
        const isNew = exports.sqlite3_total_changes(db) === (engine.observer?.changesBefore ?? 0);
        exports.sqlite3_result_int64(context, isNew ? 0n : BigInt(exports.sqlite3_changes(db)));
      }),
      totalChanges: wasm.installFunction("v(pip)", (context: Pointer) => {
        const total = exports.sqlite3_total_changes(exports.sqlite3_context_db_handle(context));
        exports.sqlite3_result_int64(context, BigInt(total - (engine.observer?.changesBefore ?? 0)));
      }),
    },
    guarded: [],
    recover: () => exports._emscripten_stack_restore(stack),
    observer: null,
  };
  const heap = new SqlHeap(engine);
  const aside = openAside(engine, heap);
  const guarded = guardedFunctions.map(({ name, args }) => {
    const stmt = aside.prepare(`SELECT ${name}(${"?, ".repeat(args - 1)}?)`);
    return { name, args, callback: wasm.installFunction("v(pip)", guard(engine, heap, { name, stmt })) };
  });
  const patterns = patternFunctions.map(({ name, args, dialect }) => {
    return { name, args, callback: wasm.installFunction("v(pip)", matchPatterns(engine, heap, { dialect })) };
  });
  return Object.assign(engine, { guarded: [...guarded, ...patterns] });
}

/** A connection on which SQLite's own functions stay as they are. */
function openAside(engine: SqlEngine, heap: SqlHeap): { prepare(sql: string): Pointer } {
  const { exports } = engine;
  const text = exports.malloc(256);
  const out = exports.malloc(8);
  const write = (content: string) => heap.bytes.set(new TextEncoder().encode(`${content}\0`), text);
  write(":memory:");
  exports.sqlite3_open_v2(text, out, openFlags.readWrite | openFlags.create | openFlags.memory, 0);
  const db = heap.pointerAt(out);
  exports.sqlite3_limit(db, limitId.length, valueBytesMax);
  return {
    prepare: (sql) => {
      write(sql);
      const code = exports.sqlite3_prepare_v3(db, text, -1, 0, out, out + 4);
      if (code !== resultCode.ok) throw new FaradayError(`SQLite cannot compile ${sql}: code ${code}`);
      return heap.pointerAt(out);
    },
  };
}

function checked(found: unknown): SqlExports {
  const exports = found as Record<string, unknown>;
  for (const name of ["malloc", "sqlite3_prepare_v3", "sqlite3_preupdate_hook", "sqlite3_set_authorizer"])
    if (typeof exports[name] !== "function") throw new FaradayError(`SQLite's module lacks ${name}`);
  return found as SqlExports;
}

function randomInt64(observer: SqlObserver | null): bigint {
  const high = observer?.random() ?? 0;
  const low = observer?.random() ?? 0;
  return BigInt.asIntN(64, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
}

const randomBlobMax = 1_000_000;
const transient = -1;

function answerRandomBlob(engine: SqlEngine, context: Pointer, values: Pointer): void {
  const { exports, memory } = engine;
  const value = new DataView(memory.buffer).getUint32(values, true);
  const bytes = Math.max(1, exports.sqlite3_value_int(value));
  if (bytes > randomBlobMax) {
    exports.sqlite3_result_error_toobig(context);
    return;
  }
  const at = exports.malloc(bytes);
  const blob = new Uint8Array(memory.buffer, at, bytes);
  for (let index = 0; index < bytes; index++) blob[index] = (engine.observer?.random() ?? 0) & 0xff;
  exports.sqlite3_result_blob(context, at, bytes, transient);
  exports.free(at);
}

type Module = Awaited<ReturnType<typeof sqlite3InitModule>>;

function stopClock(capi: Module["capi"], wasm: Module["wasm"]): void {
  const vfs = new capi.sqlite3_vfs(capi.sqlite3_vfs_find(null));
  const julianMs = BigInt(julianEpochMs + sqlNowMs);
  const now = (_vfs: Pointer, out: Pointer): number => {
    wasm.poke64(out, julianMs);
    return 0;
  };
  const days = (_vfs: Pointer, out: Pointer): number => {
    wasm.poke64f(out, Number(julianMs) / 86_400_000);
    return 0;
  };
  Reflect.set(vfs, "$xCurrentTimeInt64", wasm.installFunction("i(pp)", now));
  Reflect.set(vfs, "$xCurrentTime", wasm.installFunction("i(pp)", days));
}
