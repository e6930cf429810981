import { beforeAll, describe, expect, it } from "vitest";
import type { Agent } from "../../src/core/agent.ts";
import type { Environment, EnvironmentEpisode, Task } from "../../src/core/env.ts";
import type { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { AgentOSRunner } from "../../src/runner/agent-os-runner.ts";
import { PolicyReward } from "../../src/runner/policy-reward.ts";
import { bootShop, digestOf, episodeKey } from "../kernel/shop-kernel.ts";

const task: Task = { id: "task", prompt: "Do it.", split: "train" };
const reward = new PolicyReward();

function environment(parts: Partial<EnvironmentEpisode> = {}, maxTurns = 5): Environment {
  return {
    tasks: [task],
    maxTurns,
    start: () => ({
      observation: "begin",
      parse: (sql) => (sql === "" ? null : { syscall: "sql.query", args: { sql } }),
      step: (result) => ({ observation: result.error ?? "fine", done: false }),
      score: () => ({ success: true, reward: 1 }),
      ...parts,
    }),
  };
}

function scripted(...texts: readonly string[]): Agent {
  return {
    act: (_, { step }) => {
      const sql = texts[step];
      return sql === undefined ? null : { syscall: "sql.query", args: { sql } };
    },
  };
}

let kernel: KernelSpace;
beforeAll(async () => {
  kernel = await bootShop({ policy: { type: "sql", deny: ["DROP", "DELETE"] } });
});

const plan = (index: number, env = environment()) => ({ environment: env, task, key: episodeKey(index), reward });

describe("an episode", () => {
  it("pays for its violations in the cost channel alone", async () => {
    const record = await new AgentOSRunner(kernel).run(scripted("DELETE FROM orders", "SELECT 1"), plan(1));
    expect(record).toMatchObject({
      outcome: "completed",
      success: true,
      reward: 1,
      cost: 50,
      scalarReward: -49,
      stepCount: 2,
    });
    expect(record.violations).toMatchObject([
      { step: 0, rule: "DELETE", statement: "DELETE FROM orders", penalty: 50 },
    ]);
    expect(record.steps[0]?.observation).toBe("denied by sql: DELETE on orders is not permitted");
    expect(record.oracle).toBeNull();
  });

  it("without a violation earns the clean bonus in the scalar reward alone", async () => {
    const record = await new AgentOSRunner(kernel).run(scripted("SELECT 1"), plan(1));
    expect(record).toMatchObject({ reward: 1, cost: 0, scalarReward: 6, violations: [] });
  });

  it("ends when its turns are used up", async () => {
    const endless: Agent = { act: async () => ({ syscall: "sql.query", args: { sql: "SELECT 1" } }) };
    const record = await new AgentOSRunner(kernel).run(endless, plan(1, environment({}, 3)));
    expect(record).toMatchObject({ outcome: "completed", stepCount: 3 });
  });

  it("is stopped by a blocked violation under failOnViolation, and is no success", async () => {
    const runner = new AgentOSRunner(kernel, { failOnViolation: true });
    const record = await runner.run(scripted("SELECT 1", "DROP TABLE log", "SELECT 2"), plan(1));
    expect(record).toMatchObject({ outcome: "stopped", success: false, reward: 0, cost: 100, stepCount: 2 });
  });

  it("without the kernel has no violation, and no effect on the next episode", async () => {
    const runner = new AgentOSRunner(kernel);
    const record = await runner.run(scripted("DELETE FROM orders"), { ...plan(1), governed: false });
    expect(record).toMatchObject({ outcome: "completed", cost: 0, violations: [] });
    using session = kernel.open({ episode: episodeKey(2) });
    using other = kernel.open({ episode: episodeKey(3) });
    expect(digestOf(session)).toBe(digestOf(other));
  });

  it("steered by texts gives the same record as one run whole, interleaved with others or not", async () => {
    const runner = new AgentOSRunner(kernel);
    const whole = await runner.run(scripted("UPDATE orders SET status = 'x'", "DELETE FROM orders"), plan(1));
    const episodes = [1, 2, 3].map((index) => runner.begin(plan(index)));
    for (const text of ["UPDATE orders SET status = 'x'", "DELETE FROM orders", ""])
      for (const episode of episodes) episode.actText(text);
    expect(episodes.every((episode) => episode.done)).toBe(true);
    expect(episodes[0]?.finish()).toEqual(whole);
    expect(episodes[1]?.finish().violations).toHaveLength(1);
    expect(() => episodes[0]?.finish()).toThrow("finished");
  });

  it("mounts the drivers of its environment", async () => {
    const env = environment({ drivers: { robot: { operations: { ping: async () => "pong" } } } });
    const agent: Agent = { act: (_, { step }) => (step === 0 ? { syscall: "robot.ping", args: {} } : null) };
    const record = await new AgentOSRunner(kernel).run(agent, plan(1, env));
    expect(record.steps[0]?.result).toMatchObject({ outcome: "completed", result: "pong" });
  });

  it("is cancelled by an abort", async () => {
    const controller = new AbortController();
    const agent: Agent = {
      act: () => {
        controller.abort();
        return { syscall: "sql.query", args: { sql: "SELECT 1" } };
      },
    };
    const record = await new AgentOSRunner(kernel).run(agent, { ...plan(1), signal: controller.signal });
    expect(record).toMatchObject({ outcome: "cancelled", success: false, reward: 0, stepCount: 1 });
  });
});

describe("a broken episode is data", () => {
  const broken = () => {
    throw new Error("broken");
  };
  it.each<[string, Environment]>([
    ["start", { ...environment(), start: broken }],
    ["parse", environment({ parse: broken })],
    ["step", environment({ step: broken })],
    ["score", environment({ score: broken })],
    ["a reward that is not finite", environment({ score: () => ({ success: true, reward: Number.NaN }) })],
    ["a driver's name that is taken", environment({ drivers: { sql: { operations: {} } } })],
  ])("attributed to the environment: %s", (_, env) => {
    const episode = new AgentOSRunner(kernel).begin(plan(1, env));
    if (!episode.done) episode.actText("SELECT 1");
    const record = episode.finish();
    expect(record).toMatchObject({ outcome: "failed", success: false, reward: 0, error: { boundary: "environment" } });
  });

  it("attributed to the agent, synchronous or not, and its violations still cost", async () => {
    for (const fail of [broken, async () => broken()]) {
      const agent: Agent = {
        act: (_, { step }) => (step === 0 ? { syscall: "sql.query", args: { sql: "DROP TABLE log" } } : fail()),
      };
      const record = await new AgentOSRunner(kernel).run(agent, plan(1));
      expect(record).toMatchObject({ outcome: "failed", error: { boundary: "agent", message: "broken" }, cost: 100 });
    }
  });

  it("by a base reward that throws", async () => {
    const costly = new PolicyReward(kernel, { baseReward: broken });
    const record = await new AgentOSRunner(kernel).run(scripted("SELECT 1"), { ...plan(1), reward: costly });
    expect(record).toMatchObject({ outcome: "failed", reward: 0, error: { boundary: "environment" } });
  });
});

describe("PolicyReward", () => {
  it("prices by severity, and adds no bonus to the cost channel", () => {
    const priced = reward.price({ success: true, reward: 0.5 }, [{ severity: "critical" }, { severity: "low" }]);
    expect(priced).toEqual({ reward: 0.5, cost: 101, scalarReward: -100.5, penalties: [100, 1] });
  });

  it("takes a base reward of one's own", () => {
    const own = new PolicyReward(null, { baseReward: (score) => (score.success ? 2 : -2), cleanBonus: 0 });
    expect(own.price({ success: true, reward: 9 }, []).scalarReward).toBe(2);
  });

  it("refuses unknown or impossible options", () => {
    expect(() => new PolicyReward(null, { fatal: 1 } as never)).toThrow(/fatal/);
    expect(() => new PolicyReward(null, { high: -1 })).toThrow(/high/);
    expect(() => new AgentOSRunner(kernel, { logEverything: true } as never)).toThrow(/logEverything/);
  });
});
