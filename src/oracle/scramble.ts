import type { SqlTwin } from "../kernel/drivers/sql/sql-trust.ts";
import { attempt } from "./row-changes.ts";
import type { SqlGrants } from "./sql-grants.ts";
import { type BaseTable, baseTables, columnsOf, quoted } from "./tables.ts";
import { type ReadableState, readableState } from "./world-facts.ts";

/** A world that differs from the true one only in what may not be read. */
export interface ScrambledWorld {
  readonly file: Uint8Array;
  /** What may be read in it: what derives from what may not be, such as a search index, differs from the start. */
  readonly readable: ReadableState;
}

/** The scrambled world of a file, made once for each; `null` where all of it may be read. */
export function scrambledWorldOf(twin: SqlTwin, file: Uint8Array, grants: SqlGrants): ScrambledWorld | null {
  let world = grants.memory.scrambled.get(file);
  if (world === undefined) {
    twin.load(file);
    world = scramble(twin, grants) ? { file: twin.snapshot(), readable: readableState(twin, grants) } : null;
    grants.memory.scrambled.set(file, world);
  }
  return world;
}

/**
 * Changes every hidden value, the order of the values and which of them are NULL, takes a row from each table of which nothing
 * may be read. Types and uniqueness stay, so that constraints do not tell the worlds apart. Answers whether there was anything to
 * change.
 */
function scramble(twin: SqlTwin, grants: SqlGrants): boolean {
  let scrambled = false;
  twin.enforce(false);
  for (const table of baseTables(twin).filter(({ isVirtual }) => !isVirtual)) {
    const columns = columnsOf(twin, table.name);
    const hidden = columns.filter((column) => !grants.permitsReading(table.name, column));
    if (hidden.length === 0) continue;
    scrambled = true;
    if (hidden.length === columns.length) attempt(() => twin.exec(deleteFirst(table, columns)));
    for (const column of hidden) scrambleColumn(twin, table, { column, key: keyOf(table, columns) });
  }
  twin.enforce(true);
  return scrambled;
}

interface Place {
  readonly column: string;
  readonly key: string;
}

/** Each statement may be refused by a constraint, such as NOT NULL; the others still tell the worlds apart. */
function scrambleColumn(twin: SqlTwin, table: BaseTable, { column, key }: Place): void {
  const [from, name] = [quoted(table.name), quoted(column)];
  const hasNull = `EXISTS (SELECT 1 FROM ${from} WHERE ${name} IS NULL)`;
  const first = `(SELECT ${key} FROM ${from} ORDER BY ${key} LIMIT 1)`;
  attempt(() => twin.exec(`UPDATE OR IGNORE ${from} SET ${name} = NULL WHERE ${key} = ${first} AND NOT ${hasNull}`));
  attempt(() =>
    twin.exec(
      `UPDATE OR IGNORE ${from} AS t SET ${name} = (${reversed(name, from)}) WHERE ${name} IS NOT NULL;
       UPDATE OR IGNORE ${from} SET ${name} = 'zz' || ${key} WHERE ${name} IS NULL AND ${key} <> ${first}`,
    ),
  );
}

/** Another value of the same type, such that the greatest becomes the least. */
function reversed(name: string, from: string): string {
  const above = `(SELECT count(*) FROM ${from} AS o WHERE o.${name} > t.${name})`;
  const rank = `(CASE WHEN (SELECT count(*) FROM ${from}) > ${rankedMax} THEN 0 ELSE ${above} END)`;
  return `CASE typeof(t.${name}) WHEN 'integer' THEN 1000003 - t.${name} WHEN 'real' THEN 1000003.5 - t.${name}
    WHEN 'text' THEN printf('zz%06d', ${rank}) || t.${name}
    WHEN 'blob' THEN CAST(printf('zz%06d', ${rank}) || t.${name} AS BLOB) END`;
}

/** Ranking compares every row with every other. */
const rankedMax = 2_000;

function keyOf(table: BaseTable, columns: readonly string[]): string {
  return table.withoutRowid ? quoted(columns[0] as string) : "rowid";
}

function deleteFirst(table: BaseTable, columns: readonly string[]): string {
  const key = keyOf(table, columns);
  return `DELETE FROM ${quoted(table.name)} WHERE ${key} = (SELECT min(${key}) FROM ${quoted(table.name)})`;
}
