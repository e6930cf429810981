import { beforeAll, describe, expect, it } from "vitest";
import { bootWorld, expectDenied, expectHarmless, type JudgeText } from "./sql-world.ts";

// Comments, several statements, NUL and byte-order marks, EXPLAIN.

let judge: JudgeText;
beforeAll(async () => {
  judge = await bootWorld();
});

/** Each with the rule that must come first. */
const harmful: readonly (readonly [string, string])[] = [
  ["EXPLAIN SELECT 1; DROP TABLE users", "DROP"],
  ["SELECT 1\u0000; DROP TABLE users", "DROP"],
  ["DELETE FROM orders\u0000 garbage", "DELETE"],
  ["\ufeffDROP TABLE users", "DROP"],
  ["SELECT 1; /* x */ DELETE FROM orders -- ", "DELETE"],
  ["SELECT 1;;;;DELETE FROM orders;;", "DELETE"],
  ["SELECT 1 -- x\n; DELETE FROM orders", "DELETE"],
  ["/* */ /* */ DROP TABLE users", "DROP"],
  ["SELECT nope FROM orders; DELETE FROM orders", "DELETE"],
  ["EXPLAIN SELECT 1; DELETE FROM orders", "DELETE"],
];

const harmless: readonly string[] = [
  "EXPLAIN PRAGMA foreign_keys=OFF",
  "EXPLAIN PRAGMA writable_schema=1",
  "EXPLAIN QUERY PLAN DELETE FROM orders",
  "EXPLAIN PRAGMA table_info(users)",
  "EXPLAIN DROP TABLE users",
  "EXPLAIN ATTACH 'x' AS y",
  "EXPLAIN BEGIN",
  "EXPLAIN SELECT * FROM secrets",
  "EXPLAIN CREATE TABLE x(y)",
  "EXPLAIN ALTER TABLE users RENAME TO u",
  "EXPLAIN SELECT * FROM sqlite_dbpage",
  "EXPLAIN VACUUM",
  "EXPLAIN REINDEX",
  "EXPLAIN ANALYZE",
  "EXPLAIN DETACH main",
  "EXPLAIN ROLLBACK",
  "EXPLAIN CREATE VIRTUAL TABLE q USING fts5(x)",
  "explain/*x*/pragma user_version = 5",
  "SELECT 1\u0000",
  "\ufeffSELECT 1",
  "-- only",
  "/* unterminated",
  "SELECT ';DELETE FROM orders;'",
  "SELECT 1 -- ; DELETE FROM orders",
  "SELECT 1 AS \"DROP TABLE\", '--', '/*' ",
  "SELECT 'a''; DROP TABLE users; --'",
  "EXPLAIN DROP TABLE orders",
  "EXPLAIN SELECT token FROM secrets; SELECT 1",
  "EXPLAIN INSERT INTO secrets VALUES (1,2)",
  "EXPLAIN SELECT count(*) FROM secrets JOIN users USING(id)",
];

const mistakes: readonly string[] = [
  "SELECT 1\u0000garbage",
  "SELECT 'a\u0000b'",
  "SELECT 1; SELECT nope FROM orders",
  "EXPLAIN DROP TABLE missing",
  "EXPLAIN TRUNCATE orders",
];

describe("how a text is read", () => {
  it.each(harmful)("that hides harm is denied and leaves every byte as it was: %s", (sql, rule) => {
    expectDenied(judge(sql), rule);
  });

  it.each(harmless)("that only look like it do what bare SQLite does: %s", (sql) => {
    expectHarmless(judge(sql));
  });

  it.each(mistakes)("that are mistakes fail and break no rule: %s", (sql) => {
    expect(judge(sql)).toMatchObject({ outcome: "failed", violations: [], changed: false });
  });
});
