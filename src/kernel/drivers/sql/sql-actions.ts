import { action } from "./sql-codes.ts";
import type { SqlEffect } from "./sql-rules.ts";

/** Effects of the actions that change rows. */
export const effectOfAction = new Map<number, SqlEffect>([
  [action.insert, "INSERT"],
  [action.update, "UPDATE"],
  [action.delete, "DELETE"],
]);
/** Actions that make an object of the schema, and those that remove one. */
export const createActions = new Set<number>([
  action.createIndex,
  action.createTable,
  action.createTempIndex,
  action.createTempTable,
  action.createTempTrigger,
  action.createTempView,
  action.createTrigger,
  action.createView,
  action.createVirtualTable,
]);
export const dropActions = new Set<number>([
  action.dropIndex,
  action.dropTable,
  action.dropTempIndex,
  action.dropTempTable,
  action.dropTempTrigger,
  action.dropTempView,
  action.dropTrigger,
  action.dropView,
  action.dropVirtualTable,
]);

/** Pragmas that only tell; any other may leave the connection changed. */
export const tellingPragmas = new Set(
  "table_info table_xinfo table_list index_list index_info index_xinfo foreign_key_list".split(" "),
);

/** Pragmas that act on the whole module, other connections of the thread included: nobody may. */
export const threadWidePragmas = new Set(["hard_heap_limit", "soft_heap_limit", "temp_store_directory"]);

/** Tables that the engine makes of its own storage. */
export const engineTables = new Set(
  "sqlite_dbpage sqlite_stmt dbstat bytecode tables_used sqlite_sequence sqlite_stat1 sqlite_stat4 completion".split(
    " ",
  ),
);
/** Tables that hold what their arguments say and nothing else; any other that the schema lacks counts as the engine's own. */
export const argumentTables = new Set("json_each json_tree jsonb_each jsonb_tree".split(" "));
