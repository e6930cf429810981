import type { ResultSet, SqlValue } from "../core/sql.ts";

/** Rows as text, without their order: another plan may find the same rows in another order. */
export function rowsAsText(result: ResultSet): string {
  return result.rows.map(rowAsText).sort().join("\n");
}

export function rowAsText(row: readonly SqlValue[]): string {
  return row.map(valueAsText).join(",");
}

function valueAsText(value: SqlValue): string {
  if (typeof value === "string") return JSON.stringify(value);
  return value instanceof Uint8Array ? `x${Buffer.from(value).toString("hex")}` : String(value);
}
