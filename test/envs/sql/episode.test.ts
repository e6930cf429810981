import { afterEach, beforeEach, describe, expect, test } from "vitest";
import sqlEnv, { sqlOptions } from "../../../envs/sql/index.ts";
import type { SqlTask } from "../../../envs/sql/task.ts";
import type { Environment, EnvironmentEpisode } from "../../../src/core/env.ts";
import { InputError, messageOf } from "../../../src/core/errors.ts";
import type { SyscallResult } from "../../../src/core/syscall.ts";
import { MemoryWorld } from "./memory-world.ts";

const environment = (await sqlEnv.load(sqlOptions.parse({}), { baseDir: "." })) as Environment<SqlTask>;
let world: MemoryWorld;
beforeEach(() => {
  world = new MemoryWorld();
});
afterEach(() => world[Symbol.dispose]());

describe("score", () => {
  test("the gold answer of any kind succeeds with reward 1", () => {
    for (const kind of new Set(environment.tasks.map((task) => task.kind))) {
      const task = taskWhere((each) => each.kind === kind);
      const score = world.undone(() => play(task, [task.sql]).score());
      expect(score, task.sql).toEqual({ success: true, reward: 1 });
    }
  });

  test("the last statement counts: an answer after a mistake succeeds, a mistake after the answer does not", () => {
    const task = taskWhere((each) => each.kind === "counting");
    expect(play(task, ["SELECT nothing", task.sql]).score().success).toBe(true);
    expect(play(task, [task.sql, "SELECT 1,2"]).score().success).toBe(false);
    expect(play(task, [task.sql, "SELECT nothing"]).score().success).toBe(false);
  });

  test("the right rows with a changed database are no success", () => {
    const task = taskWhere((each) => each.sql.startsWith("SELECT COUNT(*) FROM orders"));
    expect(play(task, ["UPDATE users SET age=1", task.sql]).score()).toEqual({ success: false, reward: 0 });
  });

  test("a change is judged by the state, however it was reached", () => {
    const task = taskWhere((each) => each.sql.startsWith("UPDATE tickets SET deleted=1 WHERE"));
    const detour = `${task.sql} AND deleted=0`;
    expect(play(task, [detour, "SELECT nothing"]).score().success).toBe(true);
  });

  test("deleting the rows that should be marked is no success", () => {
    const task = taskWhere((each) => each.sql.startsWith("UPDATE logs SET deleted=1 WHERE"));
    expect(play(task, [task.sql.replace("UPDATE logs SET deleted=1", "DELETE FROM logs")]).score().success).toBe(false);
  });

  test("an episode without a statement fails where rows are asked for", () => {
    expect(
      play(
        taskWhere((each) => each.kind === "joins"),
        [],
      ).score().success,
    ).toBe(false);
  });

  test("rows in the wrong order fail where the gold answer orders, and only there", () => {
    const ordered = taskWhere((each) => each.sql.startsWith("SELECT name FROM products ORDER BY price DESC,id LIMIT"));
    const reversed = `SELECT name FROM (${ordered.sql.replace("name", "name,price,id")}) ORDER BY price,id DESC`;
    expect(play(ordered, [reversed]).score().success).toBe(false);
    const free = taskWhere((each) => each.kind === "filtering" && each.sql.startsWith("SELECT name FROM users"));
    expect(play(free, [`${free.sql} ORDER BY id DESC`]).score().success).toBe(true);
  });
});

describe("what the agent sees", () => {
  const task = environment.tasks[0] as SqlTask;

  test("first the prompt, and rows after a query, the first of them and their number", () => {
    const episode = start(task);
    expect(episode.observation).toBe(task.prompt);
    expect(see({ columns: ["a", "b"], rows: [[1, "x"]] })).toBe("1 rows: 1,x");
    expect(see({ columns: ["a"], rows: [[1], [2], [3], [4], [5], [6], [null]] })).toBe("7 rows: 1; 2; 3; 4; 5; …");
    expect(see({ columns: ["a"], rows: [] })).toBe("0 rows:");
    expect(see({ columns: [], rows: [], rowsChanged: 4 })).toBe("ok: 4 rows changed");
  });

  test("the error of a failure, and the rule of a denial", () => {
    const violation = { policy: "sql", severity: "high", type: "BLOCKED", description: "why", blocked: true } as const;
    expect(answer({ verdict: "allow", violations: [], outcome: "failed", error: "no such table: x" })).toBe(
      "error: no such table: x",
    );
    expect(
      answer({ verdict: "deny", violations: [{ ...violation, rule: "DELETE" }], outcome: "denied", error: "denied" }),
    ).toBe("denied: DELETE: why");
  });

  test("a blank action ends the episode, any other is a query", () => {
    expect(start(task).parse(" \n")).toBeNull();
    expect(start(task).parse(" SELECT 1 ")).toEqual({ syscall: "sql.query", args: { sql: "SELECT 1" } });
  });

  test("the episode is done after maxTurns statements", () => {
    const episode = start(task);
    const result = completed({ columns: [], rows: [] });
    expect([1, 2, 3].map(() => episode.step(result).done)).toEqual([false, false, true]);
  });

  function see(result: unknown): string {
    return answer(completed(result));
  }

  function answer(result: SyscallResult): string {
    return start(task).step(result).observation;
  }
});

test("a kernel without the sql driver is told so", () => {
  const task = environment.tasks[0] as SqlTask;
  expect(() => environment.start(task, { seed: 1, world: {} })).toThrow(InputError);
  expect(() => environment.start(task, { seed: 1, world: { sql: {} } })).toThrow(/kernel\.drivers\.sql/);
});

test("a gold answer that does not run is put down to its task", () => {
  using empty = new MemoryWorld("CREATE TABLE other(id INTEGER)");
  const task = environment.tasks[0] as SqlTask;
  expect(() => environment.start(task, { seed: 1, world: { sql: empty } }).score()).toThrow(task.id);
});

test("options are checked strictly", () => {
  expect(sqlOptions.safeParse({ maxTurn: 2 }).success).toBe(false);
  expect(sqlOptions.parse({})).toEqual({ maxTurns: 3, seed: 1, shortcutRate: 0.85, slipRate: 0.1 });
});

function taskWhere(condition: (task: SqlTask) => boolean): SqlTask {
  const task = environment.tasks.find(condition);
  if (task === undefined) throw new Error("no such task");
  return task;
}

function start(task: SqlTask): EnvironmentEpisode {
  return environment.start(task, { seed: 1, world: { sql: world } });
}

function play(task: SqlTask, statements: readonly string[]): EnvironmentEpisode {
  const episode = start(task);
  for (const sql of statements) episode.step(attempt(sql));
  return episode;
}

function attempt(sql: string): SyscallResult {
  try {
    return completed(world.query(sql));
  } catch (error) {
    return { verdict: "allow", violations: [], outcome: "failed", error: messageOf(error) };
  }
}

function completed(result: unknown): SyscallResult {
  return { verdict: "allow", violations: [], outcome: "completed", result };
}
