import { beforeAll, describe, it } from "vitest";
import { bootWorld, expectDenied, expectHarmless, type JudgeText } from "./sql-world.ts";

// Reads of what is not granted, by whatever way, and names that only look like it.

let judge: JudgeText;
beforeAll(async () => {
  judge = await bootWorld();
});

/** Each with the rule that must come first. */
const harmful: readonly (readonly [string, string])[] = [
  ["SELECT * FROM leak", "read secrets"],
  ["SELECT one FROM hidden_view", "read hidden_view"],
  ["SELECT count(*) FROM hidden_view", "read hidden_view"],
  ["WITH secrets AS (SELECT * FROM main.secrets) SELECT count(*) FROM secrets", "read secrets"],
  ["WITH a AS (SELECT 1) SELECT count(*) FROM secrets", "read secrets"],
  ["SELECT count(*) FROM main.secrets", "read secrets"],
  ["SELECT count(*) FROM [secrets]", "read secrets"],
  ["SELECT count(*) FROM `secrets`", "read secrets"],
  ["SELECT count(*) FROM 'secrets'", "read secrets"],
  ['SELECT count(*) FROM "SECRETS"', "read secrets"],
  ["SELECT 1 FROM secrets WHERE 0", "read secrets"],
  ["SELECT 1 FROM secrets LIMIT 0", "read secrets"],
  ["SELECT rowid FROM secrets", "read secrets"],
  ["SELECT 1 WHERE 1 IN (SELECT 1 FROM secrets)", "read secrets"],
  ["SELECT orders.id FROM orders, secrets", "read secrets"],
  ["SELECT id FROM orders NATURAL JOIN secrets", "read secrets"],
  ["SELECT id FROM orders JOIN secrets USING(id)", "read secrets"],
  ["SELECT o.id FROM orders o LEFT JOIN secrets s ON s.id=o.id", "read secrets"],
  ["SELECT o.id FROM orders o LEFT JOIN secrets s", "read secrets"],
  ["SELECT id FROM users GROUP BY password_hash", "read users.password_hash"],
  ["SELECT id FROM users GROUP BY id HAVING max(password_hash)>'a'", "read users.password_hash"],
  ["SELECT row_number() OVER (ORDER BY password_hash) FROM users", "read users.password_hash"],
  ["UPDATE orders SET status=(SELECT password_hash FROM users LIMIT 1) RETURNING status", "read users.password_hash"],
  ["INSERT INTO notes(body) VALUES('x') RETURNING (SELECT token FROM secrets)", "read secrets"],
  ["UPDATE orders SET status=s.token FROM secrets s WHERE s.id=orders.id", "read secrets"],
  ["INSERT INTO notes(body) SELECT password_hash FROM users", "read users.password_hash"],
  ["SELECT max(u.password_hash) FILTER (WHERE 1) FROM users u", "read users.password_hash"],
  ["SELECT users.* FROM users", "read users.password_hash"],
  ["SELECT * FROM (SELECT * FROM users)", "read users.password_hash"],
  ["SELECT 1 FROM users NATURAL JOIN users AS b", "read users.password_hash"],
  ["UPDATE gated SET v='z'", "read secrets"],
  ["SELECT grade FROM staff", "read staff.salary"],
  ["SELECT g2 FROM staff", "read staff.salary"],
  ["SELECT name FROM staff ORDER BY grade", "read staff.salary"],
  ["UPDATE staff SET name='x' RETURNING g2", "read staff.salary"],
  ["SELECT * FROM staff", "read staff.salary"],
  ["SELECT name FROM sv", "read users.password_hash"],
  ["SELECT count(*) FROM wr a JOIN wr b USING(b)", "read wr.b"],
  ["INSERT INTO log SELECT token FROM leak", "read secrets"],
  ["SELECT 1 FROM orders UNION SELECT token FROM secrets", "read secrets"],
  ["SELECT (SELECT token FROM secrets s WHERE s.id=o.id) FROM orders o", "read secrets"],
  ["SELECT CASE WHEN (SELECT count(*) FROM secrets)>1 THEN 1 END", "read secrets"],
  ["SELECT sum(id) FROM orders HAVING (SELECT 1 FROM secrets)", "read secrets"],
  ["SELECT id FROM orders LIMIT (SELECT count(*) FROM secrets)", "read secrets"],
  ["VALUES ((SELECT token FROM secrets))", "read secrets"],
  ["SELECT json_group_array(token) FROM secrets", "read secrets"],
  ["SELECT id FROM orders ORDER BY (SELECT token FROM secrets)", "read secrets"],
  ["SELECT * FROM secrets AS s WHERE 0", "read secrets"],
  ["SELECT u1.name FROM users u1 JOIN users u2 USING (password_hash)", "read users.password_hash"],
  [
    "INSERT INTO orders(id, total) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET status = (SELECT token FROM secrets)",
    "read secrets",
  ],
  ["SELECT count(*) FROM secrets AS a JOIN secrets AS b USING (token)", "read secrets"],
  ["SELECT count(*) FROM secrets AS a NATURAL JOIN secrets AS b", "read secrets"],
];

const harmless: readonly string[] = [
  "WITH secrets AS (SELECT 1 AS x) SELECT count(*) FROM secrets",
  "WITH secrets AS (SELECT 1 AS x) SELECT x FROM secrets",
  "SELECT count(*) FROM (SELECT 1) AS secrets",
  "WITH secrets(token) AS (VALUES ('x')) SELECT token FROM secrets",
  "SELECT o.id AS secrets, o.status AS token FROM orders o",
  "SELECT secrets.id FROM orders AS secrets",
  "SELECT count(*) FROM orders AS secrets",
  "SELECT EXISTS(SELECT 1 FROM orders secrets)",
  "WITH RECURSIVE secrets(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM secrets WHERE i<5) SELECT count(*) FROM secrets",
  "WITH leak AS (SELECT 1 AS x) SELECT count(*) FROM leak",
  "SELECT nm FROM staff",
  "SELECT name, id FROM staff",
  "SELECT count(*) FROM staff",
  "SELECT count(*) FROM wr a JOIN wr b USING(a)",
  "SELECT count(*) FROM wr a JOIN wr b USING(c)",
  "SELECT * FROM json_tree('{}')",
  "WITH t AS (SELECT value FROM json_each('[1]')) SELECT count(*) FROM t",
  'SELECT "status" FROM "orders"',
  "SELECT x'44524f50'",
  "SELECT :a, @b, $c, ?1",
  "SELECT * FROM orders WHERE status = 'truncate table users'",
  "SELECT [status] FROM [orders]",
  "SELECT u1.name FROM users u1 JOIN users u2 USING (id)",
  "SELECT name, total FROM users NATURAL JOIN orders",
];

describe("reads", () => {
  it.each(harmful)("that a grant lacks are denied and leave every byte as it was: %s", (sql, rule) => {
    expectDenied(judge(sql), rule);
  });

  it.each(harmless)("that only look like it do what bare SQLite does: %s", (sql) => {
    expectHarmless(judge(sql));
  });
});
