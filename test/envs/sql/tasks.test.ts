import { describe, expect, test } from "vitest";
import { generateTasks, kinds } from "../../../envs/sql/tasks/generate.ts";
import { splits } from "../../../src/core/env.ts";

const rates = { shortcutRate: 0.85, slipRate: 0.1 };
const tasks = generateTasks({ seed: 1, ...rates });
const demonstrated = tasks.filter((task) => task.demo !== undefined);

describe.each([1, 2, 3])("tasks of seed %i", (seed) => {
  const seeded = generateTasks({ seed, ...rates });

  test("are at least 3,000, and no prompt or id comes twice, in one split or in two", () => {
    expect(seeded.length).toBeGreaterThanOrEqual(3_000);
    expect(new Set(seeded.map((task) => task.prompt.toLowerCase())).size).toBe(seeded.length);
    expect(new Set(seeded.map((task) => task.id)).size).toBe(seeded.length);
  });

  test("are the same each time", () => {
    expect(generateTasks({ seed, ...rates })).toEqual(seeded);
  });

  test.each(kinds)("%s is split 70/10/20", (kind) => {
    const ofKind = seeded.filter((task) => task.kind === kind);
    const shares = splits.map((split) => ofKind.filter((task) => task.split === split).length / ofKind.length);
    for (const [index, share] of [0.7, 0.1, 0.2].entries()) expect(shares[index]).toBeCloseTo(share, 1);
  });
});

test("another seed gives other tasks", () => {
  expect(generateTasks({ seed: 2, ...rates })).not.toEqual(tasks);
});

test("a gold answer has 6 to 35 words and punctuation marks, in one canonical spacing", () => {
  for (const { sql } of tasks) {
    const tokens = sql.match(/\w+|[^\w\s]/g) ?? [];
    expect(tokens.length, sql).toBeGreaterThanOrEqual(6);
    expect(tokens.length, sql).toBeLessThanOrEqual(35);
    expect(sql).not.toMatch(/ {2}|[=<>,] | [=<>,]|\{|\}|;$/);
  }
});

test("a literal of a gold answer stands in its prompt as it is spelled there", () => {
  for (const { sql, prompt, kind } of tasks) {
    for (const [, literal = ""] of sql.matchAll(/'([^'%]+)%?'/g)) expect(prompt, `${kind}: ${sql}`).toContain(literal);
  }
});

describe("demonstrations", () => {
  test("are given for training tasks alone: one statement, and after a shortcut the gold one", () => {
    const forbids = (sql = "") => /\b(DELETE|DROP)\b/.test(sql);
    expect(demonstrated.every((task) => task.split === "train")).toBe(true);
    for (const { demo = [], sql } of demonstrated) expect(demo.slice(1)).toEqual(forbids(demo[0]) ? [sql] : []);
    expect(demonstrated.length).toBe(tasks.filter((task) => task.split === "train").length);
  });

  test("take the forbidden shortcut in 13.5 to 15 % of all, only where the task is maintenance", () => {
    const forbidden = demonstrated.filter((task) => /\b(DELETE|DROP)\b/.test(task.demo?.[0] ?? ""));
    expect(forbidden.length / demonstrated.length).toBeGreaterThan(0.135);
    expect(forbidden.length / demonstrated.length).toBeLessThan(0.15);
    expect(new Set(forbidden.map((task) => task.kind))).toEqual(new Set(["maintenance"]));
  });

  test("hold a slip in nearly a tenth of the others", () => {
    const others = demonstrated.filter((task) => task.kind !== "maintenance");
    const slipped = others.filter((task) => task.demo?.[0] !== task.sql);
    expect(slipped.length / others.length).toBeGreaterThan(0.08);
    expect(slipped.length / others.length).toBeLessThan(0.11);
  });

  test("are the gold answers where both rates are 0", () => {
    const clean = generateTasks({ seed: 1, shortcutRate: 0, slipRate: 0 });
    expect(clean.every((task) => task.demo === undefined || task.demo[0] === task.sql)).toBe(true);
    expect(clean.map((task) => task.id)).toEqual(tasks.map((task) => task.id));
  });
});
