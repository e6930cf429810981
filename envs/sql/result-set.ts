import type { ResultSet, SqlValue } from "../../src/core/sql.ts";

export function isResultSet(value: unknown): value is ResultSet {
  if (typeof value !== "object" || value === null) return false;
  const { columns, rows } = value as Partial<ResultSet>;
  return Array.isArray(columns) && Array.isArray(rows);
}

/**
 * Whether two results hold the same rows: as often each, and in the same order where `ordered`. Column names do not
 * matter, their order and number do; numbers are equal by value (1 and 1.0), fractions to 12 digits.
 */
export function sameResults(left: ResultSet, right: ResultSet, { ordered }: { ordered: boolean }): boolean {
  if (left.columns.length !== right.columns.length || left.rows.length !== right.rows.length) return false;
  const leftKeys = left.rows.map(rowKey);
  const rightKeys = right.rows.map(rowKey);
  if (!ordered) {
    leftKeys.sort();
    rightKeys.sort();
  }
  return leftKeys.every((key, index) => key === rightKeys[index]);
}

/** Whether a query fixes the order of its rows: it has an ORDER BY outside strings, comments and parentheses. */
export function isOrdered(sql: string): boolean {
  let bare = sql.replace(opaque, " ");
  for (let inner = ""; inner !== bare; ) {
    inner = bare;
    bare = bare.replace(/\([^()]*\)/g, " ");
  }
  return /\border\s+by\b/i.test(bare);
}

/** Strings, quoted names and comments. */
const opaque = /'[^']*'|"[^"]*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\//g;

function rowKey(row: readonly SqlValue[]): string {
  return JSON.stringify(row.map(valueKey));
}

function valueKey(value: SqlValue): string {
  if (value === null) return "null";
  if (typeof value === "string") return `text ${value}`;
  if (typeof value === "bigint") return `number ${value}`;
  if (typeof value === "number") return `number ${Number.isInteger(value) ? BigInt(value) : shortened(value)}`;
  return `blob ${Buffer.from(value).toString("hex")}`;
}

/** Sums of fractions depend on the order of adding in the last digits. */
function shortened(value: number): string {
  return String(Number(value.toPrecision(12)));
}
