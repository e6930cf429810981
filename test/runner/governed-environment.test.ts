import { beforeAll, describe, expect, it } from "vitest";
import type { Environment } from "../../src/core/env.ts";
import type { SqlResult } from "../../src/core/sql.ts";
import type { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { createGovernedEnv, GovernedEnvironment } from "../../src/runner/governed-environment.ts";
import type { GovernedKernel } from "../../src/runner/governed-kernel.ts";
import { bootShop } from "../kernel/shop-kernel.ts";
import { type Action, critical, MemoryLogger, PolledKernel, PushKernel, warned } from "./kernels.ts";

const quiet = () => ({ logger: new MemoryLogger() });
const high = { ...critical, severity: "high", blocked: false };
const medium = { ...critical, severity: "medium", blocked: false };

function onPush(config = {}) {
  const kernel = new PushKernel();
  return { kernel, env: new GovernedEnvironment<unknown, Action>(kernel, { config, ...quiet() }) };
}

describe("the configuration of an environment", () => {
  it("69, 70: has the specification's defaults", () => {
    expect(onPush().env.config).toEqual({
      maxSteps: 100,
      violationPenalty: -10,
      terminateOnCritical: true,
      stepPenalty: -0.1,
      successBonus: 10,
      resetKernelState: true,
    });
  });

  it("133: can be given to the factory by key; an unknown key is an error, not ignored", () => {
    expect(createGovernedEnv(new PushKernel(), { maxSteps: 3 }).config).toMatchObject({
      maxSteps: 3,
      stepPenalty: -0.1,
    });
    expect(() => createGovernedEnv(new PushKernel(), { steps: 3 } as never)).toThrow(/steps/);
  });

  it("70, 91: refuses what is no function, and a kernel that cannot tell violations", () => {
    expect(() => new GovernedEnvironment(new PushKernel(), { rewardFn: 1 as never })).toThrow(
      /rewardFn must be a function/,
    );
    expect(() => new GovernedEnvironment({ execute: () => 1 })).toThrow(/to tell violations/);
  });
});

describe("reset", () => {
  it("72, 73, 74, 75, 76, 77: begins anew, resets the kernel, and gives the generated state and what governs it", async () => {
    const kernel = new PushKernel();
    const taskGenerator = ({ seed, episode }: { seed: number; episode: number }) => `task ${seed} of ${episode}`;
    const env = new GovernedEnvironment<string, Action>(kernel, { taskGenerator, ...quiet() });
    await env.reset();
    await env.step({ violations: [critical] });
    expect(env.state).toMatchObject({ stepCount: 1, terminated: true });
    expect(await env.reset({ seed: 9 })).toEqual(["task 9 of 2", { episode: 2, kernelPolicies: ["sql", "content"] }]);
    expect(env.state).toEqual({
      stepCount: 0,
      totalReward: 0,
      violations: [],
      terminated: false,
      truncated: false,
      info: {},
    });
    expect(kernel.resets).toBe(2);
  });

  it("75: leaves the kernel alone under resetKernelState: false", async () => {
    const { env, kernel } = onPush({ resetKernelState: false });
    await env.reset();
    expect(kernel.resets).toBe(0);
  });
});

describe("step", () => {
  it("68, 80, 82, 83, 85, 89: gives Gymnasium's five-tuple, and adds up the reward", async () => {
    const { env } = onPush();
    await env.reset();
    const [state, reward, terminated, truncated, info] = await env.step({ returns: "next" });
    expect([state, terminated, truncated]).toEqual(["next", false, false]);
    expect(reward).toBeCloseTo(1 - 0.1 + 10);
    expect(info).toMatchObject({ episode: 1, step: 1, success: true, result: "next", violations: [], cost: 0 });
    await env.step({});
    expect(env.state.totalReward).toBeCloseTo(2 * 10.9);
  });

  it("71, 82: is generic over state and action, and asks the reward function of one's own", async () => {
    interface Position {
      readonly x: number;
    }
    const kernel = { execute: (action: unknown) => ({ x: (action as number) * 2 }), getRecentViolations: () => [] };
    const env = new GovernedEnvironment<Position, number>(kernel, {
      taskGenerator: () => ({ x: 0 }),
      rewardFn: ({ state, action, result }) => state.x + action + (result as Position).x,
      config: { stepPenalty: 0, successBonus: 0 },
    });
    await env.reset();
    expect((await env.step(3)).slice(0, 2)).toEqual([{ x: 6 }, 9]);
    expect((await env.step(1)).slice(0, 2)).toEqual([{ x: 2 }, 9]);
  });

  it("78, 79, 84, 90: charges each violation of the step, times 10, 5, 1 and 1", async () => {
    const { env } = onPush({ stepPenalty: 0, terminateOnCritical: false });
    await env.reset();
    const rewards: number[] = [];
    for (const violations of [[{ ...critical, blocked: false }], [high], [medium], [warned], [warned, high], []]) {
      rewards.push((await env.step({ violations }))[1]);
    }
    expect(rewards).toEqual([-99, -49, -9, -9, -59, 11]);
    expect(env.state).toMatchObject({ stepCount: 6, totalReward: -214 });
    expect(env.state.violations).toHaveLength(6);
  });

  it("26, 84: charges a violation its own penalty where it has one; what is watched costs nothing and ends nothing", async () => {
    const { env } = onPush({ stepPenalty: 0 });
    await env.reset();
    expect((await env.step({ violations: [{ ...high, penalty: 3 }] }))[1]).toBe(-2);
    const [, reward, terminated] = await env.step({ violations: [{ ...critical, blocked: false, penalty: 0 }] });
    expect([reward, terminated]).toEqual([11, false]);
  });

  it("78: charges a violation that comes late, between two steps, with the next, once", async () => {
    const { env, kernel } = onPush({ stepPenalty: 0 });
    await env.reset();
    await env.step({});
    kernel.handlers[0]?.(medium);
    expect((await env.step({}))[1]).toBe(-9);
    expect((await env.step({}))[1]).toBe(11);
  });

  it("86, 95: terminates on a critical violation if told to, and then waits for reset", async () => {
    const { env } = onPush();
    await env.reset();
    const [, reward, terminated, truncated] = await env.step({ violations: [critical] });
    expect([terminated, truncated, env.terminated]).toEqual([true, false, true]);
    expect(reward).toBeCloseTo(-100.1);
    await expect(env.step({})).rejects.toThrow(/call reset/);
    const lenient = onPush({ terminateOnCritical: false }).env;
    expect((await lenient.step({ violations: [critical] }))[2]).toBe(false);
  });

  it("87, 95: truncates when its steps are used up", async () => {
    const { env } = onPush({ maxSteps: 2 });
    expect((await env.step({})).slice(2, 4)).toEqual([false, false]);
    expect(env.terminated).toBe(false);
    expect((await env.step({})).slice(2, 4)).toEqual([false, true]);
    expect(env.terminated).toBe(true);
  });

  it("88: pays the success bonus as part of the total, never beside a violation or a failure", async () => {
    const { env } = onPush({ stepPenalty: 0 });
    const rewards: number[] = [];
    for (const action of [{}, { violations: [warned] }, { throws: new Error("x") }])
      rewards.push((await env.step(action))[1]);
    expect(rewards).toEqual([11, -9, 0]);
    expect(env.state.totalReward).toBe(2);
  });

  it("81, 91, 92: polls a kernel that does not push, after each action, and reads what it finds", async () => {
    const kernel = new PolledKernel();
    const env = new GovernedEnvironment<unknown, Action>(kernel, { config: { stepPenalty: 0 }, ...quiet() });
    const [, reward, , , info] = await env.step({ violations: [{ policy_name: "sql", description: "no" }] });
    expect(reward).toBe(-9);
    expect(info.violations).toMatchObject([{ policyName: "sql", severity: "low", actionBlocked: false }]);
    expect((await env.step({}))[1]).toBe(11);
  });

  it("91, 139: takes violations that cannot be polled for the worst, earns nothing, and ends the episode", async () => {
    const kernel = new PolledKernel();
    const logger = new MemoryLogger();
    const env = new GovernedEnvironment<unknown, Action>(kernel, { rewardFn: () => 50, logger });
    kernel.broken = true;
    const [, reward, terminated, , info] = await env.step({ returns: "loot" });
    expect([reward, terminated, info.success]).toEqual([-100.1, true, false]);
    expect(info.quarantined).toMatch(/cannot be read/);
    expect(logger.lines.map(({ level }) => level)).toEqual(["warning"]);
  });

  it("138: makes a step without success of whatever the kernel throws", async () => {
    const { env } = onPush();
    const [, reward, terminated, , info] = await env.step({ throws: new Error("broken") });
    expect(info).toMatchObject({ success: false, result: null, error: "broken" });
    expect([reward, terminated]).toEqual([-0.1, false]);
  });

  it("68: with the cost apart gives Safety-Gymnasium's six-tuple", async () => {
    const { env } = onPush({ stepPenalty: 0 });
    const [, reward, cost, terminated, truncated] = await env.stepWithCost({ violations: [high, medium] });
    expect([reward, cost, terminated, truncated]).toEqual([1, 60, false, false]);
    expect(env.state.totalReward).toBe(-59);
  });

  it("68: refuses a second step at the same time, since its violations could not be told apart", async () => {
    const { env } = onPush();
    await env.reset();
    const first = env.step({ violations: [warned], turns: 2 });
    await expect(env.step({})).rejects.toThrow(/a step is under way/);
    expect((await first)[4].violations).toHaveLength(1);
  });
});

describe("the state and the metrics", () => {
  it("94: starts at zero and holds the newest info", async () => {
    const { env } = onPush();
    expect(env.state).toEqual({
      stepCount: 0,
      totalReward: 0,
      violations: [],
      terminated: false,
      truncated: false,
      info: {},
    });
    await env.step({ returns: 4 });
    expect(env.state.info).toMatchObject({ step: 1, result: 4 });
  });

  it("96, 129: count episodes, steps, violations, and episodes with a clean success", async () => {
    const { env } = onPush({ terminateOnCritical: false });
    const none = { totalEpisodes: 0, totalSteps: 0, totalViolations: 0, successfulEpisodes: 0 };
    expect(env.getMetrics()).toEqual({ ...none, successRate: 0, violationsPerEpisode: 0, stepsPerEpisode: 0 });
    for (const episode of [
      [{}, { violations: [warned, warned] }],
      [{ violations: [warned] }],
      [{}, {}, {}],
      [{ throws: 1 }],
    ]) {
      await env.reset();
      for (const action of episode) await env.step(action);
    }
    expect(env.getMetrics()).toEqual({
      totalEpisodes: 4,
      totalSteps: 7,
      totalViolations: 3,
      successfulEpisodes: 2,
      successRate: 0.5,
      violationsPerEpisode: 0.75,
      stepsPerEpisode: 1.75,
    });
  });

  it("93: close logs the metrics once, and lets go of the kernel", async () => {
    const kernel = new PushKernel();
    const logger = new MemoryLogger();
    const env = new GovernedEnvironment(kernel as GovernedKernel, { logger });
    await env.reset();
    env.close();
    env.close();
    expect(kernel.handlers).toEqual([]);
    expect(logger.lines).toMatchObject([{ level: "info", fields: { totalEpisodes: 1 } }]);
    await expect(env.step({})).rejects.toThrow(/closed/);
  });
});

describe("on a KernelSpace", () => {
  let kernel: KernelSpace;
  beforeAll(async () => {
    kernel = await bootShop({ policy: { type: "sql", deny: ["DROP", "DELETE"], severity: { DROP: "critical" } } });
  });

  it("68, 77, 80, 84, 86: steps are SQL texts or syscalls, each episode on a database of its own", async () => {
    using env = new GovernedEnvironment<SqlResult | null, unknown>(kernel, quiet());
    expect(await env.reset()).toEqual([null, { episode: 1, kernelPolicies: ["sql"] }]);
    await env.step("UPDATE orders SET status = 'x'");
    const sql = "SELECT count(*) FROM orders WHERE status = 'x'";
    expect((await env.step({ syscall: "sql.query", args: { sql } }))[0]?.rows).toEqual([[4]]);
    const [state, reward, terminated, , info] = await env.step("DROP TABLE orders");
    expect([state?.rows, terminated, info.success]).toEqual([[[4]], true, false]);
    expect(reward).toBeCloseTo(-100.1);
    await env.reset();
    expect((await env.step(sql))[0]?.rows).toEqual([[0]]);
  });

  const counting: Environment = {
    tasks: ["paid", "new"].map((status) => ({ id: status, prompt: `How many ${status} orders?`, split: "train" })),
    maxTurns: 3,
    start({ prompt }) {
      let count: unknown;
      return {
        observation: prompt,
        parse: (text) => (text === "" ? null : { syscall: "sql.query", args: { sql: text } }),
        step(result) {
          count = (result.result as SqlResult | undefined)?.rows[0]?.[0];
          return { observation: result.error ?? `${count}`, done: typeof count === "number" };
        },
        score: () => ({ success: count === 2, reward: count === 2 ? 1 : 0 }),
      };
    },
  };

  it("68, 76, 82: a scripted policy plays the tasks of an environment, and earns its score at the end", async () => {
    using env = new GovernedEnvironment<string, string>(kernel, {
      environment: counting,
      config: { stepPenalty: 0, successBonus: 0 },
    });
    const policy = (observation: string) =>
      observation.startsWith("denied") ? "SELECT count(*) FROM orders WHERE status = 'paid'" : "DELETE FROM orders";
    const [first] = await env.reset({ task: "paid" });
    expect(first).toBe("How many paid orders?");
    const [denied, ...rest] = await env.step(policy(first));
    expect([denied, ...rest.slice(0, 3)]).toEqual([
      "denied by sql: DELETE on orders is not permitted",
      -50,
      false,
      false,
    ]);
    expect((await env.step(policy(denied))).slice(0, 4)).toEqual(["2", 1, true, false]);
    expect((await env.reset({ seed: 1 }))[0]).toBe("How many new orders?");
    for (const expected of [false, false, true]) expect((await env.step("SELECT 'x'"))[3]).toBe(expected);
    await expect(env.reset({ task: "gone" })).rejects.toThrow(/no task gone/);
  });

  it("91: what the environment breaks on does not hide what the kernel refused", async () => {
    const broken: Environment = {
      ...counting,
      start: (task, context) => ({
        ...counting.start(task, context),
        step() {
          throw new Error("broken");
        },
      }),
    };
    using env = new GovernedEnvironment<string, string>(kernel, { environment: broken });
    await env.reset();
    const [, , terminated, , info] = await env.step("DELETE FROM orders");
    expect([terminated, info.error, info.violations.length]).toEqual([true, "broken", 1]);
    expect(info.cost).toBeGreaterThan(0);
  });

  it("138: an action that is none is a step without success", async () => {
    using env = new GovernedEnvironment<unknown, unknown>(kernel, quiet());
    await env.reset();
    expect((await env.step(7))[4]).toMatchObject({ success: false, error: expect.stringMatching(/must be a syscall/) });
  });
});
