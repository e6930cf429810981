import type { SqlTwin } from "../kernel/drivers/sql/sql-trust.ts";

export interface BaseTable {
  readonly name: string;
  readonly withoutRowid: boolean;
  readonly isVirtual: boolean;
}

/** Tables that hold rows, shadow tables and the engine's own left out. */
export function baseTables(twin: SqlTwin): readonly BaseTable[] {
  const { rows } = twin.query(
    `SELECT name, wr, type = 'virtual' FROM pragma_table_list
     WHERE schema = 'main' AND type IN ('table', 'virtual') AND name NOT GLOB 'sqlite_*' ORDER BY name`,
  );
  return rows.map(([name, withoutRowid, isVirtual]) => ({
    name: String(name),
    withoutRowid: withoutRowid === 1,
    isVirtual: isVirtual === 1,
  }));
}

/** Names of the columns that are stored, in order. */
export function columnsOf(twin: SqlTwin, table: string): readonly string[] {
  const { rows } = twin.query(`SELECT name FROM pragma_table_xinfo(${literal(table)}) WHERE hidden = 0`);
  return rows.map(([name]) => String(name));
}

/**
 * Where the rows of virtual tables are kept, by the name of the table: one row of the shadow table for each row of its own.
 * A full-text index over another table's content has only its index here.
 */
export function virtualStorage(twin: SqlTwin): ReadonlyMap<string, string> {
  const { rows } = twin.query("SELECT name, type FROM pragma_table_list WHERE schema = 'main'");
  const shadows = new Set(rows.filter(([, type]) => type === "shadow").map(([name]) => String(name)));
  const virtuals = rows.filter(([, type]) => type === "virtual").map(([name]) => String(name));
  return new Map(
    virtuals.flatMap((name) => {
      const storage = ["content", "docsize", "rowid"].map((suffix) => `${name}_${suffix}`);
      const found = storage.find((shadow) => shadows.has(shadow));
      return found === undefined ? [] : [[name, found] as const];
    }),
  );
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
