import type { SqlTwin } from "../kernel/drivers/sql/sql-trust.ts";
import { attempt } from "./attempt.ts";
import type { SqlGrants } from "./sql-grants.ts";
import { type BaseTable, baseTables, columnsOf, quoted } from "./tables.ts";
import { factsOf, type ReadableState, readableState } from "./world-facts.ts";

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
    const { readableBy } = factsOf(twin, file, { grants });
    twin.load(file);
    world = scramble(twin, grants) ? { file: twin.snapshot(), readable: readableState(twin, readableBy) } : null;
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
  const last = `(SELECT max(${key}) FROM ${from})`;
  // Ranks are made before any value changes: the greatest becomes the least.
  twin.exec(
    `CREATE TEMP TABLE oracle_ranks AS SELECT ${key} AS k, row_number() OVER (ORDER BY ${name} DESC) AS rank FROM ${from};
     CREATE INDEX temp.oracle_ranks_by_key ON oracle_ranks (k)`,
  );
  attempt(() => twin.exec(`UPDATE OR IGNORE ${from} SET ${name} = NULL WHERE ${key} = ${last} AND NOT ${hasNull}`));
  attempt(() =>
    twin.exec(`UPDATE OR IGNORE ${from} AS t SET ${name} = ${another(name, key)} WHERE ${name} IS NOT NULL`),
  );
  attempt(() =>
    twin.exec(`UPDATE OR IGNORE ${from} SET ${name} = 'zz' || ${key} WHERE ${name} IS NULL AND ${key} <> ${last}`),
  );
  twin.exec("DROP TABLE temp.oracle_ranks");
}

/** Another value of the same type, in the opposite order. */
function another(name: string, key: string): string {
  const prefix = `printf('zz%09d', (SELECT rank FROM temp.oracle_ranks WHERE k = t.${key}))`;
  return `CASE typeof(t.${name}) WHEN 'integer' THEN 1000003 - t.${name} WHEN 'real' THEN 1000003.5 - t.${name}
    WHEN 'text' THEN ${prefix} || t.${name} WHEN 'blob' THEN CAST(${prefix} || t.${name} AS BLOB) END`;
}

function keyOf(table: BaseTable, columns: readonly string[]): string {
  return table.withoutRowid ? quoted(columns[0] as string) : "rowid";
}

function deleteFirst(table: BaseTable, columns: readonly string[]): string {
  const key = keyOf(table, columns);
  return `DELETE FROM ${quoted(table.name)} WHERE ${key} = (SELECT min(${key}) FROM ${quoted(table.name)})`;
}
