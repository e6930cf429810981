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

/** Tables that the engine makes of its own storage; json_each and its like read only their arguments. */
export const engineTables = new Set(
  "sqlite_dbpage sqlite_stmt dbstat bytecode tables_used sqlite_sequence sqlite_stat1 sqlite_stat4 completion".split(
    " ",
  ),
);
