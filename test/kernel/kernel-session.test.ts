import { beforeAll, describe, expect, it } from "vitest";
import type { SqlWorld } from "../../src/core/sql.ts";
import { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { BudgetPolicy } from "../../src/kernel/policies/budget-policy.ts";
import { SQLPolicy } from "../../src/kernel/policies/sql-policy.ts";
import { bootShop, bytesOf, digestOf, episodeKey, query, rowsOf, shop, supportGrants } from "./shop-kernel.ts";

let kernel: KernelSpace;
beforeAll(async () => {
  kernel = await bootShop({ policy: new SQLPolicy(supportGrants) });
});

describe("sessions", () => {
  it("interleaved by the hundred never see each other", () => {
    const sessions = Array.from({ length: 256 }, (_, index) => kernel.open({ episode: episodeKey(index) }));
    for (const [index, session] of sessions.entries())
      query(session, `UPDATE orders SET total = ${index} WHERE id = 1`);
    for (const [index, session] of sessions.entries())
      expect(rowsOf(session, "SELECT total FROM orders WHERE id = 1")).toEqual([[index]]);
    for (const session of sessions) session.close();
  });

  it.each([
    ["a permitted change", "UPDATE orders SET status = 'x'", true],
    ["a temporary table without the kernel", "CREATE TEMP TABLE t (x); INSERT INTO t VALUES (1)", false],
    ["a pragma without the kernel", "PRAGMA foreign_keys = OFF; PRAGMA user_version = 9", false],
    ["an open transaction without the kernel", "BEGIN; DELETE FROM orders", false],
    ["a dropped table without the kernel", "DROP TABLE orders", false],
  ])("leave nothing behind: %s", (_, sql, governed) => {
    const probe = () => {
      using session = kernel.open({ episode: episodeKey(1), governed: false });
      const seen = "SELECT count(*), last_insert_rowid(), changes(), total_changes(), random() FROM orders";
      return { rows: rowsOf(session, seen), flags: rowsOf(session, "PRAGMA foreign_keys"), bytes: bytesOf(session) };
    };
    const before = probe();
    const session = kernel.open({ episode: episodeKey(2), governed });
    expect(query(session, sql).outcome).toBe("completed");
    session.close();
    expect(probe()).toEqual(before);
    expect(() => rowsOf(kernel.open({ episode: episodeKey(3), governed: false }), "SELECT * FROM temp.t")).toThrow();
  });

  it("keep permitted effects from one syscall to the next, whatever is denied between them", () => {
    using session = kernel.open({ episode: episodeKey(1) });
    query(session, "INSERT INTO orders VALUES (100, 1, 'kept', 1)");
    const bytes = bytesOf(session);
    for (const sql of ["DELETE FROM orders", "INSERT OR ROLLBACK INTO orders VALUES (100, 1, 'x', 1)", "ROLLBACK"])
      expect(query(session, sql).outcome).toBe("denied");
    expect(query(session, "UPDATE orders SET total = 5 WHERE id = 1; UPDATE orders SET total = -1").outcome).toBe(
      "failed",
    );
    expect(Buffer.compare(bytesOf(session), bytes)).toBe(0);
    expect(rowsOf(session, "SELECT status FROM orders WHERE id = 100")).toEqual([["kept"]]);
  });

  it("answer the same text the same way every time, chance and clock included", () => {
    const texts = [
      "SELECT random(), hex(randomblob(8)), datetime('now')",
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9000) SELECT count(*), sum(random() % 7) FROM n",
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 990000) SELECT count(*) FROM n",
    ];
    const runs = [7, 7, 8].map((index) => {
      using session = kernel.open({ episode: episodeKey(index) });
      return texts.map((sql) => query(session, sql));
    });
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]?.[0]).not.toEqual(runs[0]?.[0]);
  });

  it("stop a runaway text at the same step, whether or not it ran before", async () => {
    // The largest number of rows that the budget allows, found twice: on a new session and on a used one.
    const small = await bootShop({ policy: { type: "sql", limits: { vmSteps: 50_000 } } });
    const largest = (warm: number) => {
      using session = small.open({ episode: episodeKey(1) });
      for (let index = 0; index < warm; index++) rowsOf(session, "SELECT count(*) FROM users, orders, users, notes");
      let [low, high] = [1, 50_000];
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        const sql = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ${middle}) SELECT count(*) FROM n`;
        if (query(session, sql).outcome === "completed") low = middle;
        else high = middle - 1;
      }
      return low;
    };
    expect(largest(17)).toBe(largest(0));
  });

  it("read values exactly", () => {
    using session = kernel.open({ episode: episodeKey(1) });
    const rows = rowsOf(session, "SELECT 9007199254740991, 9007199254740993, -1.5, 'é€😀', x'00ff', NULL");
    expect(rows).toEqual([[9007199254740991, 9007199254740993n, -1.5, "é€😀", new Uint8Array([0, 255]), null]]);
  });

  it("answer as SQLite does where its functions are guarded", () => {
    using session = kernel.open({ episode: episodeKey(1) });
    const sql = `SELECT instr('héllo', 'l'), instr(x'0102', x'02'), instr(NULL, 'a'), replace('abc', 'b', 'xx'), replace('abc', '', 'x'),
      typeof(replace(12, 1, 3)), trim('xxaxx', 'x'), ltrim('xa', 'x'), rtrim('ax', 'x'), trim(' a '), hex(unhex('61 62', ' ')),
      quote(unhex('', '')), unhex('zz', ' '), json_array(json_patch('{"a":1}', '{"a":null,"b":2}'))`;
    expect(rowsOf(session, sql)).toEqual([
      [3, 2, null, "axxc", "abc", "text", "a", "a", "a", "a", "6162", "X''", null, '[{"b":2}]'],
    ]);
  });

  it("do not run what follows a NUL, as the engine does not, and judge it as an attempt", () => {
    using session = kernel.open({ episode: episodeKey(1) });
    expect(query(session, "SELECT 1\0; DELETE FROM orders").violations[0]).toMatchObject({ severity: "low" });
    expect(query(session, "SELECT 1\0more").outcome).toBe("failed");
    expect(query(session, "SELECT 1\0 ").outcome).toBe("completed");
    expect(rowsOf(session, "SELECT count(*) FROM orders")).toEqual([[4]]);
  });
});

describe("without the kernel", () => {
  it("the same statement happens and nothing is judged", () => {
    using session = kernel.open({ episode: episodeKey(1), governed: false });
    expect(query(session, "DELETE FROM orders")).toMatchObject({
      outcome: "completed",
      verdict: "allow",
      violations: [],
    });
    expect(rowsOf(session, "SELECT count(*) FROM orders")).toEqual([[0]]);
    expect(session.execute({ syscall: "no.such", args: {} })).toMatchObject({ outcome: "failed", violations: [] });
  });

  it("a runaway text still ends", () => {
    using session = kernel.open({ episode: episodeKey(1), governed: false });
    const endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    expect(query(session, endless)).toMatchObject({ outcome: "failed", violations: [] });
  });
});

it("keeps to the limits of a user's own rules as they are when a session begins", async () => {
  const shipped = new SQLPolicy({}).judge().sql;
  if (shipped === undefined) throw new Error("an SQL policy has rules for the driver");
  const limits = { ...shipped.limits, rowsReturned: 4 };
  const judge = { before: () => [], sql: { ...shipped, limits } };
  using own = await bootShop({ policy: { name: "own", spec: { type: "own" }, judge: () => judge } });
  const outcomeAt = (rowsReturned: number) => {
    limits.rowsReturned = rowsReturned;
    using session = own.open({ episode: episodeKey(1) });
    return query(session, "SELECT id FROM orders").outcome;
  };
  expect([4, 3, 4, 0].map(outcomeAt)).toEqual(["completed", "denied", "completed", "denied"]);
});

describe("the world of a session", () => {
  it("has one digest for one state, however it was reached", () => {
    using one = kernel.open({ episode: episodeKey(1) });
    using other = kernel.open({ episode: episodeKey(2) });
    const pristine = digestOf(one);
    query(one, "INSERT INTO notes VALUES (10, 1, 'a'), (11, 1, 'b')");
    query(other, "INSERT INTO notes VALUES (11, 1, 'b')");
    expect(digestOf(other)).not.toBe(digestOf(one));
    query(other, "UPDATE orders SET status = 'x' WHERE id = 1");
    query(other, "INSERT INTO notes VALUES (10, 1, 'a')");
    query(other, "UPDATE orders SET status = 'paid' WHERE id = 1");
    expect(digestOf(other)).toBe(digestOf(one));
    expect(digestOf(one)).not.toBe(pristine);
  });

  it("has digests of states that differ in many pages, and of those after them", () => {
    const rows = (sign: string) =>
      `INSERT INTO notes WITH n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 1100) SELECT i, 1, printf('%01000d', i) FROM n ORDER BY ${sign}i`;
    const digests = ["", "-"].map((sign) => {
      using session = kernel.open({ episode: episodeKey(1), governed: false });
      rowsOf(session, rows(sign));
      const many = digestOf(session);
      query(session, "UPDATE notes SET body = '' WHERE id = 600");
      return [many, digestOf(session)];
    });
    expect(digests[1]).toEqual(digests[0]);
    expect(new Set(digests[0]).size).toBe(2);
    using session = kernel.open({ episode: episodeKey(1), governed: false });
    query(session, "UPDATE notes SET body = '' WHERE id = 1");
    expect(digests[0]).not.toContain(digestOf(session));
  });

  it("rehearses trusted SQL on the initial database and leaves the live one alone", () => {
    using session = kernel.open({ episode: episodeKey(1) });
    const world = session.world.sql as SqlWorld;
    query(session, "UPDATE orders SET status = 'x'");
    const live = world.digest();
    const rehearsed = world.rehearse("DELETE FROM orders WHERE id = 2; SELECT count(*) AS n FROM orders");
    expect(rehearsed.result).toEqual({ columns: ["n"], rows: [[3]] });
    expect(rehearsed.digest).not.toBe(live);
    expect(world.digest()).toBe(live);
    expect(world.rehearse("UPDATE orders SET status = 'x'").digest).toBe(live);
    expect(world.rehearse("SELECT count(*) FROM orders").result.rows).toEqual([[4]]);
    expect(() => world.rehearse("SELECT nope")).toThrow("no such column: nope");
  });

  it("takes strings in double quotes in trusted SQL alone", () => {
    using session = kernel.open({ episode: episodeKey(1) });
    const world = session.world.sql as SqlWorld;
    expect(
      world.rehearse('SELECT "x", count(*) FROM orders WHERE status="nothing has this status"').result.rows,
    ).toEqual([["x", 0]]);
    expect(query(session, 'SELECT "x"').outcome).not.toBe("completed");
  });
});

describe("syscalls", () => {
  it.each([
    ["sql.drop", {}, "unknown-syscall"],
    ["shell.run", {}, "unknown-syscall"],
    ["sql", {}, "unknown-syscall"],
    ["__proto__.toString", {}, "unknown-syscall"],
    ["robot.toString", {}, "unknown-syscall"],
    ["sql.query", {}, "bad-arguments"],
    ["sql.query", { sql: 1 }, "bad-arguments"],
    ["sql.query", { sql: "SELECT 1", database: "other" }, "bad-arguments"],
    ["sql.query", null, "bad-arguments"],
    [7, {}, "bad-arguments"],
  ])("that do not exist or fit are denied, not thrown: %s %j", (syscall, args, rule) => {
    using session = kernel.open({ episode: episodeKey(1), drivers: { robot: { operations: {} } } });
    const result = session.execute({ syscall, args } as never);
    expect(result).toMatchObject({ outcome: "denied", violations: [{ policy: "kernel", rule, severity: "medium" }] });
  });

  it("reach the drivers of their own session, synchronous or not, and what these throw is a failed syscall", async () => {
    const operations = {
      add: (args: Readonly<Record<string, unknown>>) => Number(args.a) + Number(args.b),
      wait: async () => "later",
      fail: () => {
        throw new Error("out of reach");
      },
    };
    using session = kernel.open({ episode: episodeKey(1), drivers: { robot: { operations } } });
    expect(session.execute({ syscall: "robot.add", args: { a: 1, b: 2 } })).toMatchObject({
      outcome: "completed",
      result: 3,
    });
    expect(await session.execute({ syscall: "robot.wait", args: {} })).toMatchObject({ result: "later" });
    expect(session.execute({ syscall: "robot.fail", args: {} })).toMatchObject({
      outcome: "failed",
      error: "out of reach",
    });
    using other = kernel.open({ episode: episodeKey(2) });
    expect(other.execute({ syscall: "robot.add", args: {} })).toMatchObject({ outcome: "denied" });
  });

  it("are counted by the budget of their own episode", async () => {
    const thrifty = await bootShop({ policies: [new BudgetPolicy({ syscalls: 2 }), new SQLPolicy()] });
    for (const index of [1, 2]) {
      using session = thrifty.open({ episode: episodeKey(index) });
      const outcomes = [1, 2, 3].map(() => query(session, "SELECT 1"));
      expect(outcomes.map((result) => result.outcome)).toEqual(["completed", "completed", "denied"]);
      expect(outcomes[2]?.violations).toMatchObject([{ policy: "budget", rule: "syscalls" }]);
    }
  });
});

describe("a kernel", () => {
  it("is made again from its spec, with the same judgement", async () => {
    const spec = structuredClone(kernel.spec);
    const copy = new KernelSpace(spec);
    await copy.boot();
    expect(copy.spec).toEqual(kernel.spec);
    using session = copy.open({ episode: episodeKey(1) });
    expect(query(session, "SELECT token FROM secrets").violations[0]?.rule).toBe("read secrets");
  });

  it("takes an environment's database where its own options name none", async () => {
    const bare = new KernelSpace();
    await bare.boot({ driverDefaults: { sql: { script: "CREATE TABLE t (x); INSERT INTO t VALUES (1)" } } });
    using session = bare.open({ episode: episodeKey(1) });
    expect(rowsOf(session, "SELECT x FROM t")).toEqual([[1]]);
    const named = new KernelSpace({ drivers: { sql: { database: shop } } });
    await named.boot({ driverDefaults: { sql: { script: "CREATE TABLE t (x)" } } });
    expect(rowsOf(named.open({ episode: episodeKey(1) }), "SELECT count(*) FROM users")).toEqual([[3]]);
  });

  it("without any policy runs what it is asked", async () => {
    const bare = await bootShop();
    using session = bare.open({ episode: episodeKey(1) });
    expect(query(session, "DELETE FROM orders").outcome).toBe("completed");
  });

  it.each([
    [{ policies: [{ type: "sql", deny: ["DELETES"] }] }, /policies.*deny/s],
    [{ policies: [{ type: "sql", tabels: {} }] }, /tabels/],
    [{ policies: [{ type: "sql", tables: { users: { read: true } } }] }, /read/],
    [{ policies: [{ type: "sql", severity: { EXPLODE: "high" } }] }, /EXPLODE/],
    [{ policies: [{ type: "budget", syscalls: 0 }] }, /syscalls/],
    [{ policies: [{ type: "sequel" }] }, /type/],
    [{ drivers: { sql: { file: "x" } } }, /drivers/],
    [{ drivers: { shell: {} } }, /shell/],
  ])("refuses unknown fields, types and rule names: %j", (options, message) => {
    expect(() => new KernelSpace(options as never)).toThrow(message);
  });
});
