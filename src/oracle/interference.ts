import type { ResultSet, SqlValue } from "../core/sql.ts";
import type { SqlTwin } from "../kernel/drivers/sql/sql-trust.ts";
import { attempt } from "./row-changes.ts";
import { loadScrambled } from "./scramble.ts";
import type { SqlGrants } from "./sql-grants.ts";
import type { SqlStep } from "./sql-oracle.ts";
import { baseTables, columnsOf, quoted } from "./tables.ts";

/**
 * Whether an answer, or what was written, depends on anything that may not be read (non-interference): the text is run in a
 * world that differs from the true one only there. Where the outcomes differ, and running it in a faithful copy shows that
 * chance is not the reason, it read what was not granted.
 */
export function findInterference(
  twin: SqlTwin,
  how: { readonly step: SqlStep; readonly changed: boolean },
  grants: SqlGrants,
): readonly string[] {
  const { step, changed } = how;
  if (!loadScrambled(twin, step.before, grants)) return [];
  const scrambled = outcomeOf(twin, step.sql, changed ? grants : null);
  if (scrambled === null || (!changed && step.told !== null && rowsAs(step.told) === scrambled.answer)) return [];
  twin.load(step.before);
  const faithful = outcomeOf(twin, step.sql, changed ? grants : null);
  if (faithful === null) return [];
  const found: string[] = [];
  if (step.told !== null && faithful.answer !== scrambled.answer)
    found.push("the answer depends on what may not be read");
  if (changed && faithful.state !== scrambled.state) found.push("what was written depends on what may not be read");
  return found;
}

/** What a text answers and what readable state it leaves; `null` where a constraint stopped it. */
function outcomeOf(twin: SqlTwin, sql: string, grants: SqlGrants | null) {
  let answer = "";
  const failure = attempt(() => {
    answer = rowsAs(twin.query(sql));
  });
  if (failure?.includes("constraint failed") === true) return null;
  const state = grants === null ? "" : readableState(twin, grants);
  return { answer: failure === null ? answer : `failed: ${failure}`, state };
}

function readableState(twin: SqlTwin, grants: SqlGrants): string {
  return baseTables(twin)
    .map(({ name }) => {
      const columns = columnsOf(twin, name).filter((column) => grants.permitsReading(name, column));
      return columns.length === 0
        ? ""
        : rowsAs(twin.query(`SELECT ${columns.map(quoted).join(", ")} FROM ${quoted(name)}`));
    })
    .join("\n\n");
}

/** Rows as text, without their order: another plan may find the same rows in another order. */
function rowsAs(result: ResultSet): string {
  return result.rows
    .map((row) => row.map(valueAs).join(","))
    .sort()
    .join("\n");
}

function valueAs(value: SqlValue): string {
  if (typeof value === "string") return JSON.stringify(value);
  return value instanceof Uint8Array ? `x${Buffer.from(value).toString("hex")}` : String(value);
}
