import type { SqlTwin } from "../kernel/drivers/sql/sql-trust.ts";

export interface BaseTable {
  readonly name: string;
  readonly withoutRowid: boolean;
}

/** Tables that hold rows, shadow tables and the engine's own left out. */
export function baseTables(twin: SqlTwin): readonly BaseTable[] {
  const { rows } = twin.query(
    `SELECT name, wr FROM pragma_table_list
     WHERE schema = 'main' AND type IN ('table', 'virtual') AND name NOT GLOB 'sqlite_*' ORDER BY name`,
  );
  return rows.map(([name, withoutRowid]) => ({ name: String(name), withoutRowid: withoutRowid === 1 }));
}

/** Names of the columns that are stored, in order. */
export function columnsOf(twin: SqlTwin, table: string): readonly string[] {
  const { rows } = twin.query(`SELECT name FROM pragma_table_xinfo('${table.replaceAll("'", "''")}') WHERE hidden = 0`);
  return rows.map(([name]) => String(name));
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
