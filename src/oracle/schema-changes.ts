import type { SqlTwin } from "../kernel/drivers/sql/sql-trust.ts";
import type { SqlGrants } from "./sql-grants.ts";
import type { SqlStep } from "./sql-oracle.ts";

interface SchemaObject {
  readonly name: string;
  readonly rootPage: number;
  readonly sql: string;
  readonly columnCount: number;
}

/** Objects that went, came or changed without a grant. */
export function findSchemaChanges(twin: SqlTwin, step: SqlStep, grants: SqlGrants): readonly string[] {
  if (permitsAll(grants)) return [];
  const before = schemaOf(twin, step.before);
  const after = schemaOf(twin, step.after);
  const found: string[] = [];
  for (const [key, object] of before) {
    const now = after.get(key) ?? renamed(object, after);
    if (now === undefined) {
      if (!grants.permitsSchemaChange("DROP")) found.push(`${key} was dropped`);
      continue;
    }
    if (now.sql !== object.sql && !grants.permitsSchemaChange("ALTER")) found.push(`${key} was altered`);
    if (now.columnCount < object.columnCount && !grants.permitsSchemaChange("DROP")) found.push(`${key} lost a column`);
  }
  if (grants.permitsSchemaChange("CREATE")) return found;
  for (const [key, object] of after)
    if (!before.has(key) && renamed(object, before) === undefined) found.push(`${key} was created`);
  return found;
}

function permitsAll(grants: SqlGrants): boolean {
  return (["CREATE", "DROP", "ALTER"] as const).every((effect) => grants.permitsSchemaChange(effect));
}

/** A table that is renamed keeps its root page; views and triggers have none. */
function renamed(object: SchemaObject, others: ReadonlyMap<string, SchemaObject>): SchemaObject | undefined {
  if (object.rootPage === 0) return undefined;
  return [...others.values()].find((other) => other.rootPage === object.rootPage);
}

function schemaOf(twin: SqlTwin, file: Uint8Array): ReadonlyMap<string, SchemaObject> {
  twin.load(file);
  const { rows } = twin.query(
    `SELECT type, name, coalesce(rootpage, 0), coalesce(sql, ''),
       CASE type WHEN 'table' THEN (SELECT count(*) FROM pragma_table_xinfo(sqlite_schema.name)) ELSE 0 END
     FROM sqlite_schema WHERE name NOT GLOB 'sqlite_stat*' AND name NOT GLOB 'sqlite_autoindex*' AND name <> 'sqlite_sequence'`,
  );
  return new Map(
    rows.map(([type, name, rootPage, sql, columnCount]) => [
      `${type} ${name}`,
      { name: String(name), rootPage: Number(rootPage), sql: String(sql), columnCount: Number(columnCount) },
    ]),
  );
}
