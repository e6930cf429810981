import { canonicalJson } from "../core/canonical-json.ts";
import type { Syscall } from "../core/syscall.ts";

const statementMax = 2_000;

/** A syscall in a line for a person to read: the SQL text, or name and arguments. */
export function statementOf(syscall: Syscall): string {
  const sql = syscall.syscall === "sql.query" ? syscall.args.sql : undefined;
  const text = typeof sql === "string" ? sql : `${syscall.syscall} ${canonicalJson(syscall.args)}`;
  return text.slice(0, statementMax);
}
