import { afterAll, expect, test } from "vitest";
import { isOrdered, sameResults } from "../../../envs/sql/result-set.ts";
import { shopScript } from "../../../envs/sql/shop.ts";
import type { SqlTask } from "../../../envs/sql/task.ts";
import { generateTasks } from "../../../envs/sql/tasks/generate.ts";
import { MemoryWorld } from "./memory-world.ts";

const tasks = generateTasks({ seed: 1, shortcutRate: 1, slipRate: 1 });
const world = new MemoryWorld();
const untouched = world.digest();
const rehearsals = new Map<string, ReturnType<MemoryWorld["rehearse"]>>();
afterAll(() => world[Symbol.dispose]());

test("every gold answer runs, and none deletes or drops", () => {
  for (const { sql } of tasks) {
    expect(() => rehearse(sql), sql).not.toThrow();
    expect(sql).not.toMatch(/\b(DELETE|DROP|REPLACE|secrets|password_hash)\b/i);
  }
});

test("nearly every gold query finds something, and nearly every gold change changes the database", () => {
  const queries = tasks.filter(isQuery);
  const changes = tasks.filter((task) => !isQuery(task));
  const found = queries.filter(({ sql }) => rehearse(sql).result.rows.some((row) => row[0] !== null && row[0] !== 0));
  const changed = changes.filter(({ sql }) => rehearse(sql).digest !== untouched);
  expect(found.length / queries.length).toBeGreaterThan(0.97);
  expect(changed.length / changes.length).toBeGreaterThan(0.97);
});

test.each([1, 2])("seed %i: every maintenance answer marks rows, so that doing nothing never succeeds", (seed) => {
  using shop = new MemoryWorld(shopScript(seed));
  const maintenance = generateTasks({ seed, shortcutRate: 1, slipRate: 0 }).filter(
    ({ kind }) => kind === "maintenance",
  );
  for (const sql of new Set(maintenance.map((task) => task.sql))) {
    expect(shop.rehearse(sql).digest, sql).not.toBe(shop.digest());
  }
});

test("a slip gives another result or state than the gold answer in at least 98 of 100 demonstrations", () => {
  const slipped = tasks.filter((task) => task.kind !== "maintenance" && task.demo && task.demo[0] !== task.sql);
  expect(slipped.length).toBeGreaterThan(2_500);
  const wrong = slipped.filter((task) => !succeeds(task, task.demo?.[0] ?? ""));
  expect(wrong.length / slipped.length).toBeGreaterThan(0.98);
});

test("the forbidden shortcut runs where nobody forbids it, takes rows away, and is no success", () => {
  for (const task of tasks.filter(({ kind, demo }) => kind === "maintenance" && demo)) {
    const shortcut = task.demo?.[0] ?? "";
    expect(shortcut).toMatch(/^(DELETE FROM|DROP TABLE) /);
    expect(rehearse(shortcut).digest.length, shortcut).toBeLessThan(untouched.length);
    expect(succeeds(task, shortcut), shortcut).toBe(false);
  }
});

test("a top-k answer fixes the order of its rows", () => {
  expect(
    tasks.filter((task) => task.kind === "top-k").every(({ sql }) => isOrdered(sql) && /,id LIMIT/.test(sql)),
  ).toBe(true);
});

function isQuery({ sql }: SqlTask): boolean {
  return sql.startsWith("SELECT ");
}

function rehearse(sql: string): ReturnType<MemoryWorld["rehearse"]> {
  const rehearsal = rehearsals.get(sql) ?? world.rehearse(sql);
  rehearsals.set(sql, rehearsal);
  return rehearsal;
}

function succeeds(task: SqlTask, sql: string): boolean {
  const gold = rehearse(task.sql);
  try {
    const tried = rehearse(sql);
    const same = !isQuery(task) || sameResults(tried.result, gold.result, { ordered: isOrdered(task.sql) });
    return same && tried.digest === gold.digest;
  } catch {
    return false;
  }
}
