import { messageOf } from "../core/errors.ts";
import type { SqlTwin } from "../kernel/drivers/sql/sql-trust.ts";
import type { SqlGrants } from "./sql-grants.ts";
import type { SqlStep } from "./sql-oracle.ts";
import { baseTables, quoted } from "./tables.ts";

const changes = ["insert", "update", "delete"] as const;

/**
 * Rows that were inserted, updated or deleted without a grant. The text is run again in a twin of the database as it was,
 * where triggers of the oracle's own count what happens to each table: cascades, triggers and conflict clauses included.
 * What the twin does not show, such as rows gone with a transaction that was begun earlier, is seen by counting rows.
 */
export function findRowChanges(twin: SqlTwin, step: SqlStep, grants: SqlGrants): readonly string[] {
  const rowsBefore = countRows(twin, step.before);
  const counts = replay(twin, step, watched([...rowsBefore.keys()], grants));
  const rowsAfter = countRows(twin, step.after);
  const found: string[] = [];
  let changed = 0;
  for (const [table, before] of rowsBefore) {
    for (const change of changes) {
      const count = counts.get(`${table} ${change}`) ?? 0;
      changed += count;
      if (count > 0 && !grants.permitsRows(change, table)) found.push(`${change} of ${rows(count)} of ${table}`);
    }
    const gone = before - (rowsAfter.get(table) ?? before);
    const isCounted = counts.has(`${table} delete`);
    if (gone > 0 && !isCounted && !grants.permitsRows("delete", table))
      found.push(`delete of ${rows(gone)} of ${table}`);
  }
  if (changed > grants.rowsChangedMax) found.push(`change of ${rows(changed)}, more than ${grants.rowsChangedMax}`);
  return found;
}

function rows(count: number): string {
  return count === 1 ? "1 row" : `${count} rows`;
}

function countRows(twin: SqlTwin, file: Uint8Array): ReadonlyMap<string, number> {
  twin.load(file);
  const tables = baseTables(twin).map(({ name }) => name);
  if (tables.length === 0) return new Map();
  const { rows } = twin.query(
    tables
      .map((name) => `SELECT '${name.replaceAll("'", "''")}', (SELECT count(*) FROM ${quoted(name)})`)
      .join(" UNION ALL "),
  );
  return new Map(rows.map(([name, count]) => [String(name), Number(count)]));
}

interface Watch {
  readonly table: string;
  readonly change: (typeof changes)[number];
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
  twin.exec("CREATE TEMP TABLE IF NOT EXISTS oracle_changes (what TEXT); DELETE FROM oracle_changes");
  try {
    for (const trigger of triggers) plant(twin, trigger);
    attempt(() => twin.exec(step.sql));
    const { rows } = twin.query("SELECT what, count(*) FROM oracle_changes GROUP BY what");
    return new Map(rows.map(([what, count]) => [String(what), Number(count)]));
  } finally {
    twin.load(step.before);
    twin.exec(triggers.map(({ name }) => `DROP TRIGGER IF EXISTS temp.${name};`).join(""));
  }
}

/** Virtual tables take no triggers: their rows are only counted. */
function plant(twin: SqlTwin, trigger: Watch): void {
  const what = `${trigger.table} ${trigger.change}`.replaceAll("'", "''");
  attempt(() =>
    twin.exec(
      `CREATE TEMP TRIGGER ${trigger.name} AFTER ${trigger.change} ON main.${quoted(trigger.table)}
       BEGIN INSERT INTO oracle_changes VALUES ('${what}'); END`,
    ),
  );
}

/** SQL that may fail, as it may have failed for the agent; its message, or `null`. */
export function attempt(run: () => void): string | null {
  try {
    run();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
