import { columnType, resultCode } from "./sql-codes.ts";
import type { Pointer, SqlEngine, SqlExports } from "./sql-engine.ts";
import type { SqlHeap } from "./sql-heap.ts";

/**
 * SQLite's own functions that compare every byte of one argument with every byte of another: no step of the virtual
 * machine passes while they do, so two long arguments would hold the worker for minutes beyond the reach of any budget.
 */
export const guardedFunctions = [
  { name: "instr", args: 2 },
  { name: "replace", args: 3 },
  { name: "trim", args: 2 },
  { name: "ltrim", args: 2 },
  { name: "rtrim", args: 2 },
  { name: "unhex", args: 2 },
  { name: "json_patch", args: 2 },
  { name: "jsonb_patch", args: 2 },
] as const;

/** Comparisons that a call may cost at worst: some tenths of a second. */
const comparisonsMax = 200_000_000;
/** Comparisons that take as long as a step of the virtual machine. */
const comparisonsPerStep = 100;

/** A function that refuses what would cost too much, and leaves the rest to SQLite's own on a connection aside. */
export function guard(engine: SqlEngine, heap: SqlHeap, own: { readonly name: string; readonly stmt: Pointer }) {
  const { name, stmt } = own;
  const { exports: sqlite } = engine;
  return (context: Pointer, count: number, values: Pointer): void => {
    const first = heap.pointerAt(values);
    const second = heap.pointerAt(values + 4);
    const comparisons = sqlite.sqlite3_value_bytes(first) * sqlite.sqlite3_value_bytes(second);
    if (comparisons > comparisonsMax) {
      sqlite.sqlite3_result_error_toobig(context);
      return;
    }
    const steps = Math.floor(comparisons / comparisonsPerStep);
    if (steps > 0 && engine.observer?.spend(steps) === false) {
      sqlite.sqlite3_result_error_code(context, resultCode.interrupt);
      return;
    }
    for (let index = 0; index < count; index++)
      bind(sqlite, { stmt, index: index + 1 }, heap.pointerAt(values + 4 * index));
    const code = sqlite.sqlite3_step(stmt);
    if (code === resultCode.row) answer(sqlite, context, stmt);
    else sqlite.sqlite3_result_error_code(context, code);
    if (code === resultCode.row && name === "json_patch") sqlite.sqlite3_result_subtype(context, jsonSubtype);
    sqlite.sqlite3_reset(stmt);
    sqlite.sqlite3_clear_bindings(stmt);
  };
}

const transient = -1;
/** Marks a text as JSON for the function that takes it. */
const jsonSubtype = 74;

/** Binds a copy of a value; NULL is what a parameter is without one. */
function bind(sqlite: SqlExports, to: { readonly stmt: Pointer; readonly index: number }, value: Pointer): void {
  const { stmt, index } = to;
  switch (sqlite.sqlite3_value_type(value)) {
    case columnType.integer:
      sqlite.sqlite3_bind_int64(stmt, index, sqlite.sqlite3_value_int64(value));
      break;
    case columnType.float:
      sqlite.sqlite3_bind_double(stmt, index, sqlite.sqlite3_value_double(value));
      break;
    case columnType.text: {
      const at = sqlite.sqlite3_value_text(value);
      sqlite.sqlite3_bind_text(stmt, index, at, sqlite.sqlite3_value_bytes(value), transient);
      break;
    }
    case columnType.blob: {
      const bytes = sqlite.sqlite3_value_bytes(value);
      if (bytes === 0) sqlite.sqlite3_bind_zeroblob(stmt, index, 0);
      else sqlite.sqlite3_bind_blob(stmt, index, sqlite.sqlite3_value_blob(value), bytes, transient);
      break;
    }
  }
}

/** Hands over the first column of the row that the statement stands on. */
function answer(sqlite: SqlExports, context: Pointer, stmt: Pointer): void {
  switch (sqlite.sqlite3_column_type(stmt, 0)) {
    case columnType.integer:
      sqlite.sqlite3_result_int64(context, sqlite.sqlite3_column_int64(stmt, 0));
      break;
    case columnType.float:
      sqlite.sqlite3_result_double(context, sqlite.sqlite3_column_double(stmt, 0));
      break;
    case columnType.text: {
      const at = sqlite.sqlite3_column_text(stmt, 0);
      sqlite.sqlite3_result_text(context, at, sqlite.sqlite3_column_bytes(stmt, 0), transient);
      break;
    }
    case columnType.blob: {
      const bytes = sqlite.sqlite3_column_bytes(stmt, 0);
      if (bytes === 0) sqlite.sqlite3_result_zeroblob(context, 0);
      else sqlite.sqlite3_result_blob(context, sqlite.sqlite3_column_blob(stmt, 0), bytes, transient);
      break;
    }
    default:
      sqlite.sqlite3_result_null(context);
  }
}
