import type { SqlGrants } from "./sql-grants.ts";
import type { SchemaObject, WorldFacts } from "./world-facts.ts";

/** Objects that went, came or changed without a grant. */
export function findSchemaChanges(
  before: WorldFacts["schema"],
  after: WorldFacts["schema"],
  grants: SqlGrants,
): readonly string[] {
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

/** A table that is renamed keeps its root page; views and triggers have none. */
export function renamed(object: SchemaObject, others: WorldFacts["schema"]): SchemaObject | undefined {
  if (object.rootPage === 0) return undefined;
  return [...others.values()].find((other) => other.rootPage === object.rootPage);
}
