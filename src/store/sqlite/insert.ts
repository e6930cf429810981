import type { DatabaseSync, StatementSync } from "node:sqlite";

/**
 * A prepared insert of one row into `table (columns)`. Several rows a statement, or rows as JSON, were measured to be
 * slower with node:sqlite: binding costs more than stepping.
 */
export function prepareInsert(database: DatabaseSync, into: string, onConflict = ""): StatementSync {
  const columns = into.slice(into.indexOf("(") + 1, into.indexOf(")")).split(",").length;
  return database.prepare(`INSERT INTO ${into} VALUES (${Array(columns).fill("?").join(", ")}) ${onConflict}`);
}
