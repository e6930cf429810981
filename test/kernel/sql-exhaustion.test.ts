import { beforeAll, describe, expect, it } from "vitest";
import { SqlConnection } from "../../src/kernel/drivers/sql/sql-connection.ts";
import { loadSqlEngine } from "../../src/kernel/drivers/sql/sql-engine.ts";
import type { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { bootShop, bytesOf, episodeKey, query, rowsOf } from "./shop-kernel.ts";
import { worldFile, worldGrants } from "./sql-world.ts";

const numbers = (count: number) => `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ${count})`;
const large = "hex(zeroblob(490000))";
const withLarge = `${numbers(100_000)}, v(x) AS MATERIALIZED (SELECT ${large})`;

/** Texts that would hold the worker or fill its memory, and the limit that stops them. */
const harmful: readonly (readonly [string, string])[] = [
  [`${numbers(1e9)} SELECT count(*) FROM n`, "vmSteps"],
  [`SELECT count(*) FROM ${Array.from({ length: 40 }, (_, index) => `users t${index}`).join(", ")}`, "vmSteps"],
  [`${withLarge} SELECT sum(length(x)) FROM v, n`, "vmSteps"],
  [`${withLarge} SELECT sum(length(upper(x))) FROM v, n`, "vmSteps"],
  [`${withLarge} SELECT sum(instr(x, 'zz')) FROM v, n`, "vmSteps"],
  [`${withLarge} SELECT sum(x LIKE '%zz%') FROM v, n`, "vmSteps"],
  [`${withLarge} SELECT sum(trim(x) = 'a') FROM v, n`, "vmSteps"],
  [`${withLarge} SELECT count(*) FROM v, n WHERE x || i = 'x'`, "vmSteps"],
  [`SELECT ${large} LIKE '%${"0".repeat(900)}1'`, "vmSteps"],
  [`SELECT ${large} GLOB '*${"[0-9]".repeat(190)}x'`, "vmSteps"],
  [`${numbers(1e6)} SELECT sum(length(printf('%.*c', 900000, 'x') || i)) FROM n`, "vmSteps"],
  [`${numbers(1e6)} SELECT json_group_array(i) FROM n`, "vmSteps"],
  [`${numbers(2e6)} SELECT count(DISTINCT i || 'and more') FROM n`, "vmSteps"],
  [`SELECT replace(${large}, '0', 'xxxxxxxxxx')`, "valueBytes"],
  ["SELECT zeroblob(2000000000)", "valueBytes"],
  ["SELECT randomblob(2000000000)", "valueBytes"],
  ["SELECT printf('%.*c', 2000000000, 'x')", "valueBytes"],
  [`${numbers(60_000)} SELECT hex(zeroblob(1000)) AS x FROM n ORDER BY x || i`, "memoryBytes"],
  [`${numbers(400)} SELECT max(x) FROM (SELECT zeroblob(900000) || i AS x FROM n ORDER BY x DESC)`, "memoryBytes"],
  [`${numbers(20_000)} SELECT i FROM n`, "rowsReturned"],
  [`${numbers(900)} SELECT hex(zeroblob(16000)) FROM n`, "resultBytes"],
  [`${numbers(3_000)} INSERT INTO notes (body) SELECT hex(zeroblob(400000)) FROM n`, "memoryBytes"],
];

/** Much work that is none too much. */
const harmless: readonly string[] = [
  `${numbers(9_000)} SELECT printf('%0200d', i) FROM n ORDER BY 1 DESC`,
  `${numbers(9_000)} SELECT i % 100, group_concat(printf('%0200d', i)) FROM n GROUP BY 1`,
  `${numbers(9_000)} INSERT INTO notes (body) SELECT printf('%0400d', i) FROM n`,
  `${numbers(3_000)} INSERT INTO docs SELECT 'word' || i FROM n`,
  `${numbers(3_000)} INSERT INTO rt SELECT i + 10, i, i + 1 FROM n`,
  `SELECT count(*) FROM json_each((${numbers(5_000)} SELECT json_group_array(i) FROM n))`,
  `SELECT length(${large})`,
  `${numbers(5_000)} SELECT count(*) FROM n WHERE 'number ' || i LIKE '%9%9%'`,
  `SELECT 1 WHERE 1 IN (${"1, ".repeat(20_000)} 1)`,
  `SELECT ${"(".repeat(400)}1${")".repeat(400)}`,
];

/** Texts deeper than the engine goes. */
const deep: readonly string[] = [
  `SELECT ${"(".repeat(20_000)}1${")".repeat(20_000)}`,
  `SELECT ${"1 + ".repeat(15_000)}1`,
  `SELECT ${"NOT ".repeat(15_000)}1`,
  `SELECT ${"(SELECT ".repeat(5_000)}1${")".repeat(5_000)}`,
  `SELECT ${"CASE WHEN 1 THEN ".repeat(2_500)}1${" END".repeat(2_500)}`,
  `SELECT 1${" UNION ALL SELECT 1".repeat(3_000)}`,
  `SELECT json('${"[".repeat(30_000)}')`,
];

let kernel: KernelSpace;
beforeAll(async () => {
  kernel = await bootShop({ drivers: { sql: { database: worldFile } }, policies: [{ type: "sql", ...worldGrants }] });
});

describe("exhaustion", () => {
  it.each(harmful)("is stopped by its limit, and leaves the connection sound: %s", (sql, limit) => {
    using session = kernel.open({ episode: episodeKey(0) });
    const before = bytesOf(session);
    const result = query(session, sql);
    expect(result.violations.map(({ rule }) => rule)).toEqual([`limit ${limit}`]);
    expect(Buffer.compare(before, bytesOf(session))).toBe(0);
    expect(rowsOf(session, "SELECT count(*) FROM users")).toEqual([[2]]);
  });

  it.each(harmful.slice(0, 12))("ends the same way every time, whatever ran before: %s", (sql) => {
    const stepsOf = (...texts: readonly string[]) => {
      using session = kernel.open({ episode: episodeKey(0) });
      return texts.map((text) => query(session, text)).at(-1);
    };
    const alone = stepsOf(sql);
    expect(stepsOf(`SELECT length(${large})`, "UPDATE orders SET status = 'x'", sql)).toEqual(alone);
  });

  it.each(harmless)("is not what much work is: %s", (sql) => {
    using session = kernel.open({ episode: episodeKey(0) });
    expect(query(session, sql)).toMatchObject({ outcome: "completed", violations: [] });
  });

  it.each(deep)("of the engine's depth only fails", (sql) => {
    using session = kernel.open({ episode: episodeKey(0) });
    expect(query(session, sql).outcome).not.toBe("completed");
    expect(rowsOf(session, "SELECT count(*) FROM users")).toEqual([[2]]);
  });

  it("without a policy is stopped by the driver", () => {
    using session = kernel.open({ episode: episodeKey(0), governed: false });
    const result = query(session, `${numbers(1e9)} SELECT count(*) FROM n`);
    expect(result).toMatchObject({ outcome: "failed", violations: [] });
    expect(rowsOf(session, "SELECT count(*) FROM users")).toEqual([[2]]);
  });

  it("of the thread by a pragma is nobody's, not even where nothing is judged", () => {
    using session = kernel.open({ episode: episodeKey(0), governed: false });
    expect(query(session, "PRAGMA hard_heap_limit = 100000").outcome).toBe("failed");
    expect(query(session, "SELECT * FROM pragma_hard_heap_limit(100000)").outcome).toBe("failed");
    using next = kernel.open({ episode: episodeKey(1) });
    expect(rowsOf(next, "SELECT count(*) FROM users")).toEqual([[2]]);
  });

  // Last: the engine never raises this limit again.
  it("of memory that is there for nobody denies the text and leaves the connection sound", async () => {
    using session = kernel.open({ episode: episodeKey(0) });
    query(session, "UPDATE orders SET status = 'seen' WHERE id = 1");
    using trusted = SqlConnection.empty(await loadSqlEngine());
    for (const spare of [3_000_000, 300_000, 30_000, 3_000, 0]) {
      trusted.run(`PRAGMA hard_heap_limit = ${trusted.memoryUsed + spare}`);
      const before = bytesOf(session);
      const sorted = `${numbers(9_000)} SELECT printf('%0500d', i) FROM n ORDER BY 1 DESC`;
      expect(query(session, sorted).violations[0]?.rule).toBe("limit memoryBytes");
      const written = `UPDATE orders SET status = 'lost'; SELECT length(hex(zeroblob(490000)))`;
      if (spare < 1_000_000) expect(query(session, written).violations[0]?.rule).toBe("limit memoryBytes");
      expect(Buffer.compare(before, bytesOf(session))).toBe(0);
      expect(rowsOf(session, "SELECT status FROM orders WHERE id = 1")).toEqual([["seen"]]);
    }
  });
});
