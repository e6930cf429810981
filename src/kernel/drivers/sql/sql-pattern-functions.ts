import { resultCode } from "./sql-codes.ts";
import type { Pointer, SqlEngine } from "./sql-engine.ts";
import type { SqlHeap } from "./sql-heap.ts";
import { globDialect, likeDialect, type PatternDialect, PatternMatch, type Slice } from "./sql-pattern.ts";

/** LIKE and GLOB, as functions of SQLite's interface: the operators call them. */
export const patternFunctions = [
  { name: "like", args: 2, dialect: likeDialect },
  { name: "like", args: 3, dialect: likeDialect },
  { name: "glob", args: 2, dialect: globDialect },
] as const;

/** Comparisons that take as long as a step of the virtual machine. */
const comparisonsPerStep = 40;
/** Bytes of the longest pattern. */
const patternBytesMax = 1_000;

/** The function that stands for LIKE or GLOB: called with pattern, text and escape, in this order. */
export function matchPatterns(engine: SqlEngine, heap: SqlHeap, own: { readonly dialect: PatternDialect }) {
  const { exports: sqlite } = engine;
  let unspent = 0;
  /** Small matches add up: what is less than a step is kept for the next. */
  const spend = (comparisons: number): boolean => {
    unspent += comparisons;
    const steps = Math.floor(unspent / comparisonsPerStep);
    unspent -= steps * comparisonsPerStep;
    return steps === 0 || engine.observer?.spend(steps) !== false;
  };
  const match = new PatternMatch(spend);
  return (context: Pointer, count: number, values: Pointer): void => {
    const pattern = sliceOf(engine, heap.pointerAt(values));
    const text = sliceOf(engine, heap.pointerAt(values + 4));
    const escapedBy = count < 3 ? 0 : escapeOf(engine, heap, heap.pointerAt(values + 8));
    if (pattern !== null && pattern.length > patternBytesMax)
      fail(engine, heap, context, "LIKE or GLOB pattern too complex");
    else if (escapedBy === -1) fail(engine, heap, context, "ESCAPE expression must be a single character");
    else if (pattern === null || text === null || escapedBy === null) sqlite.sqlite3_result_null(context);
    else {
      unspent = 0;
      match.set(heap.bytes, escapedBy === 0 ? own.dialect : { ...own.dialect, escapedBy }, { pattern, text });
      const matched = match.run();
      if (matched === null) sqlite.sqlite3_result_error_code(context, resultCode.interrupt);
      else sqlite.sqlite3_result_int(context, matched ? 1 : 0);
    }
  };
}

/** A value as text; `null` for NULL. */
function sliceOf({ exports: sqlite }: SqlEngine, value: Pointer): Slice | null {
  const at = sqlite.sqlite3_value_text(value);
  return at === 0 ? null : { at, length: sqlite.sqlite3_value_bytes(value) };
}

/** The code point of a single character; `null` for NULL, -1 for anything else. */
function escapeOf(engine: SqlEngine, heap: SqlHeap, value: Pointer): number | null {
  const slice = sliceOf(engine, value);
  if (slice === null) return null;
  const characters = [...heap.text(slice.at, slice.length)];
  return characters.length === 1 ? (characters[0]?.codePointAt(0) ?? -1) : -1;
}

function fail(engine: SqlEngine, heap: SqlHeap, context: Pointer, message: string): void {
  const { exports: sqlite } = engine;
  const at = sqlite.malloc(message.length);
  heap.bytes.set(Buffer.from(message), at);
  sqlite.sqlite3_result_error(context, at, message.length);
  sqlite.free(at);
}
