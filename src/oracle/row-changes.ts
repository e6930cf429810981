import type { SqlTwin } from "../kernel/drivers/sql/sql-trust.ts";
import { attempt } from "./attempt.ts";
import { renamed } from "./schema-changes.ts";
import type { SqlGrants } from "./sql-grants.ts";
import type { SqlStep } from "./sql-oracle.ts";
import { literal, quoted } from "./tables.ts";
import { factsOf, type WorldFacts } from "./world-facts.ts";

const changes = ["insert", "update", "delete"] as const;
type Change = (typeof changes)[number];

/**
 * Rows that were inserted, updated or deleted without a grant. The text is run again in a twin of the database as it was,
 * where triggers of the oracle's own count what happens to each table: cascades, triggers and conflict clauses included.
 * What the twin does not show, such as rows gone with a transaction that was begun earlier, is seen by counting rows,
 * and rows of virtual tables, which take no triggers, by comparing them.
 */
export function findRowChanges(twin: SqlTwin, step: SqlStep, grants: SqlGrants): readonly string[] {
  const before = factsOf(twin, step.before, { grants });
  const after = factsOf(twin, step.after, { grants, like: step.before });
  const counts = replay(twin, step, watched([...before.rowCounts.keys()], grants));
  const found: string[] = [];
  let changed = 0;
  const note = (change: Change, table: string, count: number) => {
    if (count > 0 && !grants.permitsRows(change, table)) found.push(`${change} of ${rows(count)} of ${table}`);
  };
  for (const [table, rowsBefore] of before.rowCounts) {
    for (const change of changes) {
      const count = counts.get(`${table} ${change}`) ?? 0;
      changed += count;
      note(change, table, count);
    }
    if (!counts.has(`${table} delete`)) note("delete", table, rowsBefore - rowsLeft(table, before, after));
  }
  for (const [table, was] of before.virtualRows) {
    const is = after.virtualRows.get(table);
    if (is !== undefined) for (const [change, count] of compareRows(was, is)) note(change, table, count);
  }
  if (changed > grants.rowsChangedMax) found.push(`change of ${rows(changed)}, more than ${grants.rowsChangedMax}`);
  return found;
}

/** Rows of a table afterwards: a table that was dropped took its rows with it, one that was renamed did not. */
function rowsLeft(table: string, before: WorldFacts, after: WorldFacts): number {
  const counted = after.rowCounts.get(table);
  if (counted !== undefined) return counted;
  const object = before.schema.get(`table ${table}`);
  const isRenamed = object !== undefined && renamed(object, after.schema) !== undefined;
  return isRenamed ? (before.rowCounts.get(table) ?? 0) : 0;
}

function rows(count: number): string {
  return count === 1 ? "1 row" : `${count} rows`;
}

type NumberedRows = ReadonlyMap<string, string>;

/** What a table's rows, by number, say of the way from one to the other; a row that was replaced looks updated. */
function compareRows(before: NumberedRows, after: NumberedRows): readonly (readonly [Change, number])[] {
  const gone = [...before.keys()].filter((number) => !after.has(number)).length;
  const come = [...after.keys()].filter((number) => !before.has(number)).length;
  const other = [...after].filter(([number, row]) => before.has(number) && before.get(number) !== row).length;
  return [
    ["insert", come],
    ["update", other],
    ["delete", gone],
  ];
}

interface Watch {
  readonly table: string;
  readonly change: Change;
  readonly name: string;
}

/** What must be counted: every change where their number is limited, otherwise what is not granted. */
function watched(tables: readonly string[], grants: SqlGrants): readonly Watch[] {
  const limited = grants.rowsChangedMax !== Number.POSITIVE_INFINITY;
  return tables.flatMap((table, index) =>
    changes
      .filter((change) => limited || !grants.permitsRows(change, table))
      .map((change) => ({ table, change, name: `oracle_${index}_${change}` })),
  );
}

function replay(twin: SqlTwin, step: SqlStep, triggers: readonly Watch[]): ReadonlyMap<string, number> {
  if (triggers.length === 0) return new Map();
  twin.load(step.before);
  twin.exec(
    `CREATE TEMP TABLE IF NOT EXISTS oracle_changes (what TEXT); DELETE FROM oracle_changes;${plant(triggers)}`,
  );
  try {
    attempt(() => twin.exec(step.sql));
    const { rows } = twin.query("SELECT what, count(*) FROM oracle_changes GROUP BY what");
    return new Map(rows.map(([what, count]) => [String(what), Number(count)]));
  } finally {
    twin.load(step.before);
    twin.exec(triggers.map(({ name }) => `DROP TRIGGER IF EXISTS temp.${name};`).join(""));
  }
}

function plant(triggers: readonly Watch[]): string {
  return triggers
    .map(
      ({ table, change, name }) =>
        `CREATE TEMP TRIGGER ${name} AFTER ${change} ON main.${quoted(table)}
         BEGIN INSERT INTO oracle_changes VALUES (${literal(`${table} ${change}`)}); END;`,
    )
    .join("");
}
