import { beforeAll, describe, it } from "vitest";
import { bootWorld, expectDenied, expectHarmless, type JudgeText } from "./sql-world.ts";

// Changes of rows, by the verb, by conflict clauses, triggers and cascades.

let judge: JudgeText;
beforeAll(async () => {
  judge = await bootWorld();
});

/** Each with the rule that must come first. */
const harmful: readonly (readonly [string, string])[] = [
  ["SELECT * FROM dbl", "PRAGMA database_list"],
  ["INSERT INTO gated VALUES(5,'rb')", "TRANSACTION"],
  ["UPDATE orders SET status='q'; INSERT INTO gated VALUES(5,'rb')", "TRANSACTION"],
  ["DELETE FROM parent WHERE id=1", "DELETE"],
  ["CREATE TABLE IF NOT EXISTS orders(x)", "CREATE"],
  ["CREATE VIEW IF NOT EXISTS leak AS SELECT 1", "CREATE"],
  ["REINDEX", "REINDEX"],
  ["ANALYZE orders", "ANALYZE"],
  ["CREATE TEMP TABLE users AS SELECT 1", "CREATE"],
  [
    "CREATE TEMP TRIGGER t AFTER INSERT ON orders BEGIN DELETE FROM log; END; INSERT INTO orders VALUES (90,1,'x',1)",
    "CREATE",
  ],
  ["INSERT INTO notes(id,body) VALUES (1,'x') ON CONFLICT DO UPDATE SET body='z'", "update notes"],
  ["INSERT OR ROLLBACK INTO orders VALUES (77,1,'x',1),(1,1,'x',1)", "TRANSACTION"],
  ["UPDATE OR ROLLBACK orders SET id=2 WHERE id=1", "TRANSACTION"],
  ["UPDATE OR REPLACE orders SET id=2 WHERE id=1", "DELETE"],
];

const harmless: readonly string[] = [
  "INSERT INTO gated VALUES(5,'ig')",
  "UPDATE parent SET id=5 WHERE id=1",
  "UPDATE staff SET name='x'",
  "INSERT INTO auto(v) VALUES (1)",
  "INSERT INTO orders(id,total) VALUES (1,1) ON CONFLICT(id) DO UPDATE SET total=excluded.total",
  "INSERT OR IGNORE INTO orders VALUES (1,1,'x',1)",
  "INSERT INTO orders(status) VALUES ('DROP TABLE users; DELETE FROM orders')",
];

describe("writes", () => {
  it.each(harmful)("that a grant lacks are denied and leave every byte as it was: %s", (sql, rule) => {
    expectDenied(judge(sql), rule);
  });

  it.each(harmless)("that only look like it do what bare SQLite does: %s", (sql) => {
    expectHarmless(judge(sql));
  });
});
