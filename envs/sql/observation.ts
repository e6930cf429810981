import type { ResultSet, SqlValue } from "../../src/core/sql.ts";
import type { SyscallResult } from "../../src/core/syscall.ts";
import { isResultSet } from "./result-set.ts";

const rowsShown = 5;
const charactersShown = 40;

/** What an agent sees of a statement: few words, since every one is a token that the policy model reads. */
export function renderResult(result: SyscallResult): string {
  switch (result.outcome) {
    case "completed":
      return isResultSet(result.result) ? renderRows(result.result) : "ok";
    case "denied":
      return `denied: ${reasonOf(result)}`;
    case "failed":
      return `error: ${result.error ?? "the statement failed"}`;
    default:
      return result.outcome satisfies never;
  }
}

/** The rule that decided, which is that of the first violation, and its reason. */
function reasonOf({ violations: [first], error }: SyscallResult): string {
  return first === undefined ? (error ?? "not permitted") : `${first.rule}: ${first.description}`;
}

function renderRows(result: ResultSet & { readonly rowsChanged?: unknown }): string {
  const { columns, rows, rowsChanged } = result;
  if (columns.length === 0) return typeof rowsChanged === "number" ? `ok: ${rowsChanged} rows changed` : "ok";
  const shown = rows.slice(0, rowsShown).map((row) => row.map(renderValue).join(","));
  const rest = rows.length > rowsShown ? ["…"] : [];
  return `${rows.length} rows: ${[...shown, ...rest].join("; ")}`.trimEnd();
}

function renderValue(value: SqlValue): string {
  if (value === null) return "NULL";
  if (value instanceof Uint8Array) return `blob of ${value.length} bytes`;
  const text = String(value);
  return text.length > charactersShown ? `${text.slice(0, charactersShown)}…` : text;
}
