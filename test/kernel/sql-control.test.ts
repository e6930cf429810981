import { beforeAll, describe, it } from "vitest";
import { bootWorld, expectDenied, expectHarmless, type JudgeText } from "./sql-world.ts";

// Transactions, pragmas, attached files and the tables of the engine.

let judge: JudgeText;
beforeAll(async () => {
  judge = await bootWorld();
});

/** Each with the rule that must come first. */
const harmful: readonly (readonly [string, string])[] = [
  ["PRAGMA nonsuch", "PRAGMA nonsuch"],
  ["PRAGMA main.user_version", "PRAGMA user_version"],
  ["PRAGMA user_version(5)", "PRAGMA user_version"],
  ["SELECT * FROM pragma_user_version", "PRAGMA user_version"],
  ["SELECT count(*) FROM pragma_database_list", "PRAGMA database_list"],
  ["PRAGMA hard_heap_limit=100000", "PRAGMA hard_heap_limit"],
  ["BEGIN", "TRANSACTION"],
  ["SAVEPOINT faraday", "TRANSACTION"],
  ["RELEASE x", "TRANSACTION"],
  ["ROLLBACK TO x", "TRANSACTION"],
  ["ATTACH '' AS a", "ATTACH"],
  ["ATTACH 'file:x?mode=memory' AS a", "ATTACH"],
  ["DETACH temp", "ATTACH"],
  ["VACUUM", "VACUUM"],
  ["VACUUM INTO 'x'", "VACUUM"],
  ["VACUUM main", "VACUUM"],
  ["END", "TRANSACTION"],
  ["BEGIN IMMEDIATE; DELETE FROM orders; COMMIT", "DELETE"],
  ["UPDATE orders SET status='x'; COMMIT", "TRANSACTION"],
  ["UPDATE sqlite_sequence SET seq=0", "update sqlite_sequence"],
  ["DELETE FROM sqlite_sequence", "DELETE"],
  ["SELECT * FROM sqlite_sequence", "read sqlite_sequence"],
  ["SELECT * FROM sqlite_dbpage", "read sqlite_dbpage"],
  ["SELECT count(*) FROM dbstat", "read dbstat"],
  ["SELECT * FROM bytecode('SELECT 1')", "read bytecode"],
  ["SELECT * FROM tables_used('SELECT 1')", "read tables_used"],
  ["SELECT * FROM sqlite_stmt", "read sqlite_stmt"],
  ["INSERT INTO sqlite_dbpage VALUES (1, x'00')", "insert sqlite_dbpage"],
];

const harmless: readonly string[] = [
  "SELECT t.name, c.name FROM pragma_table_list t, pragma_table_info(t.name) c",
  "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p",
  "SELECT name FROM sqlite_schema",
  "SELECT count(*) FROM sqlite_schema",
  "SELECT * FROM main.sqlite_master",
  "SELECT * FROM sqlite_temp_schema",
  "WITH dbstat AS (SELECT 1 x) SELECT count(*) FROM dbstat",
];

describe("the connection and the engine itself", () => {
  it.each(harmful)("that a grant lacks are denied and leave every byte as it was: %s", (sql, rule) => {
    expectDenied(judge(sql), rule);
  });

  it.each(harmless)("that only look like it do what bare SQLite does: %s", (sql) => {
    expectHarmless(judge(sql));
  });
});
