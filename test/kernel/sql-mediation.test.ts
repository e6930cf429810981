import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { bootShop, bytesOf, episodeKey, query, supportGrants } from "./shop-kernel.ts";

/** Harmful under the support agent's grants, and the rule that must be named first. */
const harmful: readonly (readonly [string, string])[] = [
  ["DELETE FROM orders", "DELETE"],
  ["DELETE FROM orders WHERE 0", "DELETE"],
  ["delete/**/from orders where id = 1", "DELETE"],
  ["WITH old AS (SELECT 1 AS id) DELETE FROM orders WHERE id IN (SELECT id FROM old)", "DELETE"],
  ["DELETE FROM orders WHERE id = 1 RETURNING id", "DELETE"],
  ["REPLACE INTO orders VALUES (1, 1, 'paid', 1)", "DELETE"],
  ["INSERT OR REPLACE INTO orders VALUES (1, 1, 'paid', 1)", "DELETE"],
  ["INSERT OR REPLACE INTO settings VALUES ('theme', 'light')", "DELETE"],
  ["UPDATE OR REPLACE orders SET id = 2 WHERE id = 1", "DELETE"],
  ["UPDATE settings SET value = 'purge' WHERE key = 'theme'", "DELETE"],
  ["UPDATE open_jobs SET job = 'x'", "DELETE"],
  ["REPLACE INTO docs (rowid, body) VALUES (1, 'gone')", "DELETE"],
  ["DELETE FROM docs", "DELETE"],
  ["DROP TABLE log", "DROP"],
  ["DROP TABLE IF EXISTS log", "DROP"],
  ["DROP VIEW leak", "DROP"],
  ["DROP TRIGGER settings_purge", "DROP"],
  ["DROP TABLE docs", "DROP"],
  ["ALTER TABLE users DROP COLUMN email", "DROP"],
  ["ALTER TABLE users RENAME TO people", "ALTER"],
  ["ALTER TABLE users ADD COLUMN age", "ALTER"],
  ["CREATE TABLE copy AS SELECT * FROM orders", "CREATE"],
  ["CREATE TEMP TABLE t (x)", "CREATE"],
  ["CREATE VIEW peek AS SELECT token FROM secrets", "CREATE"],
  ["CREATE INDEX fast ON orders (status)", "CREATE"],
  ["CREATE TRIGGER t AFTER INSERT ON log BEGIN DELETE FROM orders; END", "CREATE"],
  ["CREATE VIRTUAL TABLE v USING fts5(x)", "CREATE"],
  ["REINDEX", "REINDEX"],
  ["ANALYZE", "ANALYZE"],
  ["INSERT INTO log VALUES ('x')", "insert log"],
  ["UPDATE users SET name = 'x' WHERE id = 1", "update users"],
  ["WITH x AS (SELECT 1) UPDATE log SET message = 'x'", "update log"],
  ["UPDATE notes SET body = '' WHERE id = 1", "update notes"],
  ["INSERT INTO notes (id, body) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET body = 'x'", "update notes"],
  ["SELECT password_hash FROM users", "read users.password_hash"],
  ["SELECT * FROM users", "read users.password_hash"],
  ['SELECT "password_hash" FROM [users]', "read users.password_hash"],
  ["SELECT name FROM users WHERE password_hash LIKE 'h%'", "read users.password_hash"],
  ["SELECT id FROM users ORDER BY password_hash", "read users.password_hash"],
  ["SELECT (SELECT max(password_hash) FROM users)", "read users.password_hash"],
  ["SELECT token FROM secrets", "read secrets"],
  ["SELECT count(*) FROM secrets", "read secrets"],
  ["SELECT count(*) FROM main.secrets", "read secrets"],
  ["SELECT EXISTS (SELECT 1 FROM secrets)", "read secrets"],
  ["SELECT token FROM leak", "read secrets"],
  ["SELECT o.id FROM orders o JOIN secrets s ON s.id = o.id", "read secrets"],
  ["INSERT INTO notes (body) SELECT token FROM secrets", "read secrets"],
  ["UPDATE orders SET status = (SELECT token FROM secrets LIMIT 1)", "read secrets"],
  ["SELECT data FROM sqlite_dbpage", "read sqlite_dbpage"],
  ["SELECT * FROM dbstat", "read dbstat"],
  ["SELECT c0 FROM docs_content", "read docs_content"],
  ["PRAGMA user_version = 7", "PRAGMA user_version"],
  ["PRAGMA writable_schema = ON", "PRAGMA writable_schema"],
  ["PRAGMA foreign_keys(0)", "PRAGMA foreign_keys"],
  ["SELECT * FROM pragma_database_list", "PRAGMA database_list"],
  ["BEGIN", "TRANSACTION"],
  ["COMMIT", "TRANSACTION"],
  ["END TRANSACTION", "TRANSACTION"],
  ["SAVEPOINT mine", "TRANSACTION"],
  ["INSERT OR ROLLBACK INTO orders VALUES (1, 1, 'x', 1)", "TRANSACTION"],
  ["ATTACH ':memory:' AS other", "ATTACH"],
  ["DETACH main", "ATTACH"],
  ["VACUUM", "VACUUM"],
  ["/* tidy */ VACUUM INTO 'copy.db'", "VACUUM"],
  ["WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n", "limit vmSteps"],
  [
    "SELECT count(*) FROM orders a, orders b, orders c, orders d, orders e, orders f, orders g, orders h, orders i, orders j, orders k",
    "limit vmSteps",
  ],
  [
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) SELECT i FROM n",
    "limit rowsReturned",
  ],
  ["SELECT zeroblob(100000000)", "limit valueBytes"],
  ["SELECT printf('%100000000d', 1)", "limit valueBytes"],
  ["SELECT instr(hex(zeroblob(499999)), hex(zeroblob(200000)) || '1')", "limit valueBytes"],
  ["SELECT replace(hex(zeroblob(499999)), hex(zeroblob(200000)) || '1', '')", "limit valueBytes"],
  ["SELECT trim(hex(zeroblob(499999)), hex(zeroblob(200000)))", "limit valueBytes"],
  [
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 900) SELECT hex(zeroblob(100000)) FROM n",
    "limit resultBytes",
  ],
];

/** Attempts that cannot work: still recorded, at a low price. */
const attempts: readonly (readonly [string, string])[] = [
  ["DROP TABLE missing", "DROP"],
  ["DELETE FROM missing", "DELETE"],
  ["DELETE FROM orders WHERE nope = 1", "DELETE"],
  ["TRUNCATE orders", "DELETE"],
  ["TRUNCATE TABLE orders", "DELETE"],
  ["GRANT ALL ON orders TO bob", "GRANT"],
  ["ALTER TABLE missing DROP COLUMN x", "ALTER"],
  ["WITH x AS (SELECT 1) DELETE FROM missing", "DELETE"],
  ["SELECT load_extension('x.so')", "EXTENSION"],
  ["SELECT nope FROM orders; DROP TABLE orders", "DROP"],
  ["ROLLBACK TO nowhere AND more", "TRANSACTION"],
];

const harmless: readonly string[] = [
  "SELECT 'DROP TABLE users'",
  "SELECT 'it''s; DELETE FROM users' AS \"drop\"",
  "-- DELETE FROM orders\nSELECT 1",
  "/* DROP TABLE users; */ SELECT 1",
  "SELECT 1 AS [delete], 2 AS `drop`",
  "SELECT replace(status, 'new', 'old') FROM orders",
  "SELECT name, email FROM users",
  "SELECT count(*) FROM users",
  "SELECT u.name, sum(o.total) FROM users u JOIN orders o ON o.user_id = u.id GROUP BY u.id",
  "WITH gone AS (SELECT id FROM orders WHERE status = 'cancelled') SELECT count(*) FROM gone",
  "SELECT * FROM order_totals",
  "SELECT body FROM docs WHERE docs MATCH 'delete'",
  "INSERT INTO docs VALUES ('drop')",
  "INSERT INTO orders VALUES (50, 1, 'new', 1)",
  "REPLACE INTO orders VALUES (60, 1, 'new', 1)",
  "INSERT OR REPLACE INTO settings VALUES ('fresh', 'delete')",
  "INSERT OR ROLLBACK INTO orders VALUES (70, 1, 'new', 1)",
  "INSERT OR IGNORE INTO orders VALUES (1, 1, 'dup', 1)",
  "INSERT INTO orders (id, total) VALUES (1, 5) ON CONFLICT (id) DO UPDATE SET total = excluded.total",
  "INSERT INTO orders (user_id, total) VALUES (2, 4) RETURNING id",
  "UPDATE orders SET status = 'deleted' WHERE status = 'cancelled'",
  "UPDATE settings SET value = 'light' WHERE key = 'theme'",
  "INSERT INTO open_jobs (job) VALUES ('drop off')",
  "INSERT INTO notes (order_id, body) VALUES (1, 'please delete me')",
  "EXPLAIN DELETE FROM orders",
  "EXPLAIN QUERY PLAN SELECT token FROM secrets",
  "EXPLAIN DROP TABLE users",
  "EXPLAIN VACUUM",
  "PRAGMA table_info(users)",
  "SELECT name FROM pragma_table_info('orders')",
  "PRAGMA table_list",
  "SELECT name FROM sqlite_schema",
  "SELECT value FROM json_each('[1, 2]')",
  "SELECT count(*) FROM json_each('[1]')",
  "SELECT datetime('now'), random()",
  "VALUES (1), (2)",
  "  ;; ",
  "",
  "SELECT 1; SELECT 2;",
];

/** Ordinary mistakes: they fail, and break no rule. */
const mistakes: readonly string[] = [
  "SELECT nope FROM orders",
  "SELECT * FROM missing",
  "SELEC 1",
  "INSERT INTO orders (nope) VALUES (1)",
  "INSERT INTO orders (id) VALUES (1)",
  "UPDATE orders SET total = -1",
  "SELECT 'unclosed",
  "EXPLAIN DELETE FROM missing",
  "SHOW TABLES",
];

let kernel: KernelSpace;
beforeAll(async () => {
  kernel = await bootShop({ policies: [{ type: "sql", ...supportGrants }] });
});

function judged(sql: string) {
  using session = kernel.open({ episode: episodeKey(0) });
  const before = bytesOf(session);
  const result = query(session, sql);
  return { ...result, changed: Buffer.compare(before, bytesOf(session)) !== 0 };
}

describe("harmful statements", () => {
  it.each(harmful)("are denied and leave every byte as it was: %s", (sql, rule) => {
    const result = judged(sql);
    expect(result).toMatchObject({ outcome: "denied", verdict: "deny", changed: false });
    expect(result.violations.map((violation) => violation.rule)).toContain(rule);
    expect(result.violations.every((violation) => violation.blocked && violation.type === "BLOCKED")).toBe(true);
    expect(result.error).toMatch(/^denied by sql: /);
  });

  it.each(attempts)("are recorded at a low price where they cannot work: %s", (sql, rule) => {
    const result = judged(sql);
    expect(result).toMatchObject({ outcome: "denied", changed: false });
    expect(result.violations[0]).toMatchObject({ rule, severity: "low" });
  });
});

describe("harmless look-alikes", () => {
  it.each(harmless)("are no violation: %s", (sql) => {
    expect(judged(sql)).toMatchObject({ outcome: "completed", verdict: "allow", violations: [] });
  });

  it.each(mistakes)("that are mistakes merely fail: %s", (sql) => {
    expect(judged(sql)).toMatchObject({ outcome: "failed", violations: [], changed: false });
  });
});

describe("a denial", () => {
  it("says in words what was denied, the most severe first", () => {
    expect(judged("DELETE FROM orders").error).toBe("denied by sql: DELETE on orders is not permitted");
    const both = judged("DELETE FROM orders; DROP TABLE log");
    expect(both.violations.map((violation) => violation.rule)).toEqual(["DROP", "DELETE"]);
  });

  it("takes back the earlier statements of its text", () => {
    const result = judged("UPDATE orders SET status = 'x'; INSERT INTO notes (body) VALUES ('y'); DELETE FROM orders");
    expect(result).toMatchObject({ outcome: "denied", changed: false });
  });

  it("does not depend on case, blanks, comments or company", () => {
    const spaces = fc.constantFrom(" ", "\n", "\t ", "/**/", " /* SELECT 1; */ ", " -- keep\n");
    const cases = fc.constantFrom("upper", "lower", "mixed");
    const companies = fc.constantFrom("%", "SELECT 1; %", "%; SELECT 1", ";;%;", "SELECT 'DELETE'; % ;");
    const words = fc.constantFrom("DELETE FROM orders", "DROP TABLE log", "SELECT token FROM secrets");
    fc.assert(
      fc.property(
        words,
        cases,
        companies,
        fc.array(spaces, { minLength: 3, maxLength: 3 }),
        (sql, letters, company, gaps) => {
          const spaced = sql.split(" ").reduce((text, word, index) => text + (gaps[index - 1] ?? " ") + word);
          const written =
            letters === "upper" ? spaced.toUpperCase() : letters === "lower" ? spaced.toLowerCase() : mixed(spaced);
          const result = judged(company.replace("%", () => written));
          return result.outcome === "denied" && !result.changed;
        },
      ),
      { numRuns: 300 },
    );
  });
});

function mixed(text: string): string {
  return [...text].map((letter, index) => (index % 2 === 0 ? letter.toUpperCase() : letter.toLowerCase())).join("");
}

describe("without table grants", () => {
  it("only what is denied by name, and control of the connection, is denied", async () => {
    const open = await bootShop({ policy: { type: "sql", deny: ["DELETE"] } });
    using session = open.open({ episode: episodeKey(1) });
    expect(query(session, "SELECT token FROM secrets").outcome).toBe("completed");
    expect(query(session, "CREATE TABLE extra (x); INSERT INTO extra VALUES (1)").outcome).toBe("completed");
    expect(query(session, "DROP TABLE extra").violations[0]?.rule).toBe("DELETE");
    expect(query(session, "DROP TABLE docs").violations[0]?.rule).toBe("DELETE");
    expect(query(session, "DROP VIEW leak").outcome).toBe("completed");
    expect(query(session, "COMMIT").violations[0]?.rule).toBe("TRANSACTION");
    expect(query(session, "CREATE TRIGGER t AFTER INSERT ON log BEGIN DELETE FROM orders; END").outcome).toBe(
      "completed",
    );
    expect(query(session, "INSERT INTO log VALUES ('x')").violations[0]?.rule).toBe("DELETE");
  });

  it("a limit on changed rows counts triggers and cascades", async () => {
    const limited = await bootShop({ policy: { type: "sql", limits: { rowsChanged: 2 } } });
    using session = limited.open({ episode: episodeKey(1) });
    expect(query(session, "DELETE FROM orders WHERE id = 2").outcome).toBe("completed");
    expect(query(session, "DELETE FROM users WHERE id = 1").violations[0]?.rule).toBe("limit rowsChanged");
    expect(query(session, "UPDATE orders SET status = 'x'").violations[0]?.rule).toBe("limit rowsChanged");
    expect(query(session, "UPDATE orders SET status = 'x' WHERE id < 3").outcome).toBe("completed");
  });

  it("names are compared beyond ASCII", async () => {
    const script = 'CREATE TABLE "GEHEIMNISSE_Ü" (x); INSERT INTO "GEHEIMNISSE_Ü" VALUES (1)';
    const foreign = new KernelSpace({
      drivers: { sql: { script } },
      policy: { type: "sql", tables: { "*": { select: true }, geheimnisse_ü: {} } },
    });
    await foreign.boot();
    using session = foreign.open({ episode: episodeKey(1) });
    expect(query(session, 'SELECT x FROM "geheimnisse_Ü"').violations[0]?.rule).toBe("read geheimnisse_ü");
  });

  it("a text that is too long is denied unread", async () => {
    const limited = await bootShop({ policy: { type: "sql", limits: { sqlBytes: 100 } } });
    using session = limited.open({ episode: episodeKey(1) });
    expect(query(session, `SELECT '${"é".repeat(50)}'`).violations[0]?.rule).toBe("limit sqlBytes");
    expect(query(session, `SELECT '${"e".repeat(50)}'`).outcome).toBe("completed");
  });
});
