import type { SqlConnection } from "./sql-connection.ts";

/** What a database has, by lower-case name. */
export interface SqlSchema {
  /** Tables and views of every kind, temporary ones included. */
  readonly tables: ReadonlySet<string>;
  readonly virtuals: ReadonlySet<string>;
  /** Storage of virtual tables: the name of each shadow table, and of the table it belongs to. */
  readonly shadows: ReadonlyMap<string, string>;
}

export function readSchema(connection: SqlConnection): SqlSchema {
  const listed = connection.run("SELECT name, type FROM pragma_table_list").rows;
  // Lower case as JavaScript has it, not SQLite, which knows only ASCII: rules compare the same way.
  const rows = listed.map(([name, type]) => [String(name).toLowerCase(), String(type)] as const);
  const named = (type: string) => rows.filter((row) => row[1] === type).map((row) => row[0]);
  const tables = new Set(rows.map((row) => row[0]).filter((name) => !name.startsWith("sqlite_")));
  const virtuals = named("virtual");
  const shadows = named("shadow").map((name) => [name, ownerOf(name, virtuals)] as const);
  return { tables, virtuals: new Set(virtuals), shadows: new Map(shadows) };
}

/** The longest name that the shadow table's name begins with. */
function ownerOf(shadow: string, virtuals: readonly string[]): string {
  const owners = virtuals.filter((name) => shadow.startsWith(`${name}_`));
  return owners.sort((a, b) => b.length - a.length)[0] ?? shadow;
}
