import type { Random } from "../../../src/core/random.ts";

/** A statement with one plausible mistake of a human annotator in it, or the statement itself where none fits. */
export function slip(sql: string, random: Random): string {
  const slipped = edits.map((edit) => edit(sql)).filter((text) => text !== sql);
  return slipped.length === 0 ? sql : random.pick(slipped);
}

type Edit = (sql: string) => string;

const edits: readonly Edit[] = [
  wrongDirection,
  shortLimit,
  wrongComparison,
  swappedBounds,
  missedCondition,
  missedFilter,
  wrongAggregate,
  listInsteadOfCount,
  idInsteadOfName,
  swappedColumns,
  swappedValues,
  wrongUpdateColumn,
  wrongSign,
];

function wrongDirection(sql: string): string {
  return sql.includes(" DESC,id") ? sql.replace(" DESC,id", ",id") : sql.replace(",id LIMIT", " DESC,id LIMIT");
}

function shortLimit(sql: string): string {
  return sql.replace(/LIMIT (\d+)$/, (_, count: string) => `LIMIT ${Number(count) - 1}`);
}

function wrongComparison(sql: string): string {
  return sql.replace(/[<>]/, (sign) => (sign === "<" ? ">" : "<"));
}

function swappedBounds(sql: string): string {
  return sql.replace(/BETWEEN (\d+) AND (\d+)/, "BETWEEN $2 AND $1");
}

/** The last of several conditions is forgotten, or the first where it is about deleted rows. */
function missedCondition(sql: string): string {
  if (sql.includes("deleted=0 AND ")) return sql.replace("deleted=0 AND ", "");
  if (sql.includes(" WHERE deleted=0 GROUP")) return sql.replace(" WHERE deleted=0", "");
  return sql.replace(/(?<!BETWEEN \d+) AND [^ ]+(?= ORDER|$)/, "");
}

/** The only condition after a join is forgotten. */
function missedFilter(sql: string): string {
  return sql.replace(/^(SELECT .* JOIN .*) WHERE [^ ]+$/, "$1");
}

function wrongAggregate(sql: string): string {
  return sql.replace(/\b(SUM|AVG|MAX|MIN)\(/, (_, call: string) => `${otherAggregate[call]}(`);
}

const otherAggregate: Readonly<Record<string, string>> = { SUM: "AVG", AVG: "SUM", MAX: "MIN", MIN: "MAX" };

function listInsteadOfCount(sql: string): string {
  return sql.includes(" JOIN ") ? sql : sql.replace(/^SELECT COUNT\(\*\) /, "SELECT id ");
}

function idInsteadOfName(sql: string): string {
  return sql.replace(/^SELECT name FROM (users|products) (?!JOIN)/, "SELECT id FROM $1 ");
}

/** `SELECT status,COUNT(*)` has the count first by mistake. */
function swappedColumns(sql: string): string {
  return sql.replace(/^SELECT (\w+),([^ ]+) FROM/, "SELECT $2,$1 FROM");
}

/** The last two values of an INSERT change places. */
function swappedValues(sql: string): string {
  return sql.replace(/^(INSERT .*[(,])([^,(]+),([^,]+)\)$/, "$1$3,$2)");
}

function wrongUpdateColumn(sql: string): string {
  return sql
    .replace(/^(UPDATE orders .* WHERE) id=/, "$1 user_id=")
    .replace(/^(UPDATE products SET) price=(\d+)/, "$1 stock=$2")
    .replace(/^(UPDATE tickets SET .* WHERE) (?:priority|subject)=/, "$1 status=")
    .replace(/^(UPDATE users SET) city=/, "$1 name=");
}

function wrongSign(sql: string): string {
  return sql.replace(/(price|stock)\+/, "$1-");
}
