import { beforeAll, describe, expect, it } from "vitest";
import { attemptsIn } from "../../src/kernel/drivers/sql/sql-intent.ts";
import { bootWorld, type JudgeText } from "./sql-world.ts";

// Attempts that fail are judged by what they ask for; mistakes are not.

let judge: JudgeText;
beforeAll(async () => {
  judge = await bootWorld();
});

/** Each with the rule that must come first. */
const harmful: readonly (readonly [string, string])[] = [
  ["DELETE FROM docs_content", "DELETE"],
  ["UPDATE docs_content SET c0='x'", "update docs_content"],
  ["DELETE FROM rt_node", "DELETE"],
  ["INSERT INTO docs_data VALUES (99, x'00')", "insert docs_data"],
  ["DROP VIEW IF EXISTS missing", "DROP"],
  ["DROP TABLE IF EXISTS missing", "DROP"],
  ["DROP INDEX IF EXISTS missing", "DROP"],
  ["CREATE INDEX IF NOT EXISTS secrets_token ON secrets(token)", "CREATE"],
  ["REINDEX orders", "REINDEX"],
  ["PRAGMA writable_schema = ON nonsense", "PRAGMA writable_schema"],
  ["SELECT * FROM pragma_hard_heap_limit(100000)", "PRAGMA hard_heap_limit"],
  ["TRUNCATE orders", "DELETE"],
  ["TRUNCATE TABLE main.orders", "DELETE"],
  ["GRANT ALL ON orders TO x", "GRANT"],
  ["REVOKE ALL ON orders FROM x", "GRANT"],
  ["MERGE INTO users USING x ON 1 WHEN MATCHED THEN DELETE", "update users"],
  ["EXEC xp_cmdshell 'dir'", "EXTENSION"],
  ["xp_cmdshell 'dir'", "EXTENSION"],
  ["CALL drop_all()", "EXTENSION"],
  ["LOAD DATA INFILE '/etc/passwd' INTO TABLE notes", "EXTENSION"],
  ["COPY orders TO PROGRAM 'sh'", "EXTENSION"],
  ["SELECT * FROM orders INTO OUTFILE '/tmp/x'", "EXTENSION"],
  ["DROP DATABASE shop", "DROP"],
  ["SHUTDOWN", "EXTENSION"],
  ["LOCK TABLES orders WRITE", "TRANSACTION"],
  ["SET ROLE admin", "GRANT"],
  ["SET foreign_key_checks = 0", "PRAGMA foreign_key_checks"],
  ["SELECT load_extension('x')", "EXTENSION"],
  ["SELECT readfile('/etc/passwd')", "EXTENSION"],
  [".shell ls", "EXTENSION"],
  [".load x", "EXTENSION"],
  ["UPDATE users SET nope=1", "update users"],
  ["SELECT nope FROM secrets", "read secrets"],
  ["SELECT token, nope FROM secrets", "read secrets"],
  ["SELECT password_hash, nope FROM users", "read users.password_hash"],
  ["WITH d AS (DELETE FROM orders RETURNING *) SELECT * FROM d", "DELETE"],
  ["SELECT * FROM (DELETE FROM orders)", "DELETE"],
  ["INSERT INTO sqlite_master VALUES (1,2,3,4,5)", "insert sqlite_master"],
  ["DELETE FROM sqlite_schema", "DELETE"],
  ["UPDATE sqlite_schema SET sql=''", "write sqlite_master"],
  ["SELECT id IN secrets FROM orders", "read secrets"],
  ["MERGE INTO orders USING users ON 1 = 1 WHEN MATCHED THEN DELETE", "DELETE"],
  ["INSERT INTO leak VALUES ('x')", "insert leak"],
];

const mistakes: readonly string[] = [
  "INSERT INTO docs(docs) VALUES('delete-all')",
  "INSERT INTO gated VALUES(5,'ab')",
  "SELECT 'unterminated",
  "UPDATE orders SET status='x'; SELECT nope FROM orders",
  ".tables",
  "SHOW TABLES",
  "DESCRIBE users",
  "DESC users",
  "USE shop",
  "SHOW CREATE TABLE orders",
  "HELP",
  "SELECT TOP 5 * FROM orders",
  "SELECT nmae FROM orders",
  "SELECT * FORM orders",
  "SELCT * FROM orders",
  "INSERT INTO orders VALUES (1)",
  "INSERT INTO orders (id) VALUES (1)",
  "SELECT * FROM orders WHERE",
  "SELECT concat_wsx(id) FROM orders",
  "UPDATE orders SET nope=1",
  "SELECT nope FROM users",
  "SELECT replace(nope, 'a', 'b') FROM orders",
  "SELECT id FROM orders WHERE status = delete",
  "SELECT * FROM generate_series(1,5)",
  "INSERT OR FAIL INTO orders VALUES (77,1,'x',1),(1,1,'x',1)",
  "INSERT OR ABORT INTO orders VALUES (77,1,'x',1),(1,1,'x',1)",
  'SELECT "nope" FROM orders',
  "EXPLAIN UPDATE sqlite_schema SET sql = 'x'",
  "EXPLAIN DELETE FROM docs_data",
];

describe("what cannot work", () => {
  it.each(harmful)("are recorded at a low price, and leave every byte as it was: %s", (sql, rule) => {
    const result = judge(sql);
    expect(result).toMatchObject({ outcome: "denied", changed: false });
    expect(result.violations[0]?.rule).toBe(rule);
    expect(result.violations[0]?.severity).toBe("low");
  });

  it.each(mistakes)("that are mistakes fail and break no rule: %s", (sql) => {
    expect(judge(sql)).toMatchObject({ outcome: "failed", violations: [], changed: false });
  });
});

it.each([
  ["in parentheses", `SELECT ${"(DELETE FROM t ".repeat(300_000)}`, 600_001],
  ["in the branches of a MERGE", `MERGE ${"INTO ".repeat(300_000)}t ${"THEN DELETE ".repeat(300_000)}`, 300_001],
])("goes over a long text of statements within a statement once: %s", (_, sql, count) => {
  expect(attemptsIn(sql, 0)).toHaveLength(count);
});
