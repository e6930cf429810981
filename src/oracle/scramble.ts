import type { SqlTwin } from "../kernel/drivers/sql/sql-trust.ts";
import { attempt } from "./row-changes.ts";
import type { SqlGrants } from "./sql-grants.ts";
import { type BaseTable, baseTables, columnsOf, quoted } from "./tables.ts";

/**
 * Makes the twin a world that differs from the file in all that may not be read, and only there; `false` where there is nothing
 * of the kind. It is made once for each file.
 */
export function loadScrambled(twin: SqlTwin, file: Uint8Array, grants: SqlGrants): boolean {
  let world = grants.memory.scrambled.get(file);
  if (world === undefined) {
    twin.load(file);
    world = scramble(twin, grants) > 0 ? twin.snapshot() : null;
    grants.memory.scrambled.set(file, world);
  }
  if (world !== null) twin.load(world);
  return world !== null;
}

/**
 * Changes every hidden value, and takes a row from each table of which nothing may be read. Types, order and uniqueness stay, so
 * that neither constraints nor the plans of harmless queries tell the worlds apart; so a query that learns the order
 * alone, or which values are NULL, is not noticed. Answers how many columns were changed.
 */
function scramble(twin: SqlTwin, grants: SqlGrants): number {
  let scrambled = 0;
  twin.enforce(false);
  for (const table of baseTables(twin)) {
    const columns = columnsOf(twin, table.name);
    const hidden = columns.filter((column) => !grants.permitsReading(table.name, column));
    if (hidden.length === 0) continue;
    scrambled += hidden.length;
    if (hidden.length === columns.length) attempt(() => twin.exec(deleteFirst(table, columns)));
    const sets = hidden.map((column) => `${quoted(column)} = ${changed(quoted(column))}`).join(", ");
    attempt(() => twin.exec(`UPDATE OR IGNORE ${quoted(table.name)} SET ${sets}`));
  }
  twin.enforce(true);
  return scrambled;
}

function changed(column: string): string {
  return `CASE typeof(${column}) WHEN 'text' THEN 'zz' || ${column} WHEN 'integer' THEN ${column} + 1000003
    WHEN 'real' THEN ${column} + 1000003.5 WHEN 'blob' THEN CAST(x'7a7a' || ${column} AS BLOB) END`;
}

function deleteFirst(table: BaseTable, columns: readonly string[]): string {
  const key = table.withoutRowid ? quoted(columns[0] as string) : "rowid";
  return `DELETE FROM ${quoted(table.name)} WHERE ${key} = (SELECT min(${key}) FROM ${quoted(table.name)})`;
}
