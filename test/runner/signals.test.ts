import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Agent } from "../../src/core/agent.ts";
import type { Environment, EnvironmentEpisode, Task } from "../../src/core/env.ts";
import type { SessionCounts } from "../../src/kernel/kernel-session.ts";
import { KernelSpace, type SessionOptions } from "../../src/kernel/kernel-space.ts";
import { AgentOSRunner } from "../../src/runner/agent-os-runner.ts";
import { PolicyReward } from "../../src/runner/policy-reward.ts";
import { disagreement } from "../../src/runner/reconcile.ts";
import { bootShop, episodeKey } from "../kernel/shop-kernel.ts";
import { MemoryLogger } from "./kernels.ts";

const task: Task = { id: "task", prompt: "Do it.", split: "train" };
const select = { syscall: "sql.query", args: { sql: "SELECT 1" } };
const deletion = { syscall: "sql.query", args: { sql: "DELETE FROM orders" } };

function environment(parts: Partial<EnvironmentEpisode> = {}): Environment {
  return {
    tasks: [task],
    maxTurns: 5,
    start: () => ({
      observation: "begin",
      parse: () => null,
      step: () => ({ observation: "fine", done: false }),
      score: () => ({ success: true, reward: 1 }),
      ...parts,
    }),
  };
}

const plan = (reward = new PolicyReward(), env = environment()) => ({
  environment: env,
  task,
  key: episodeKey(1),
  reward,
});

let kernel: KernelSpace;
beforeAll(async () => {
  kernel = await bootShop({ policy: { type: "sql", deny: ["DELETE"] } });
});
afterAll(() => kernel[Symbol.dispose]());

describe("a signal", () => {
  it("SIGTERM stops the episode at its next syscall, and costs nothing", () => {
    const episode = new AgentOSRunner(kernel).begin(plan());
    episode.act(select);
    expect(episode.signal("SIGTERM")).toBe(true);
    expect(episode.done).toBe(false);
    episode.act(select);
    expect(episode.done).toBe(true);
    const record = episode.finish();
    expect(record).toMatchObject({ outcome: "stopped", success: false, reward: 0, cost: 0, stepCount: 2 });
    expect(record.violations).toMatchObject([{ rule: "SIGTERM", type: "SIGNAL_SENT", penalty: 0 }]);
    expect(episode.signal("SIGTERM")).toBe(false);
  });

  it("SIGSTOP holds the episode at its next syscall until SIGCONT", async () => {
    const episode = new AgentOSRunner(kernel).begin(plan());
    episode.signal("SIGSTOP");
    let acted = false;
    const held = Promise.resolve(episode.act(select)).then(() => {
      acted = true;
    });
    await new Promise(setImmediate);
    expect([acted, episode.stepCount]).toEqual([false, 0]);
    episode.signal("SIGCONT");
    await held;
    expect(episode.finish()).toMatchObject({ outcome: "completed", success: true, scalarReward: 6, stepCount: 1 });
    expect(episode.signals).toEqual(["SIGSTOP", "SIGCONT"]);
  });

  it("SIGKILL ends the episode at once, whatever it waits for, also when the kernel sends it", async () => {
    const drivers = { slow: { operations: { wait: () => new Promise(() => {}) } } };
    const agent: Agent = { act: () => ({ syscall: "slow.wait", args: {} }) };
    for (const send of [
      (runner: AgentOSRunner) => runner.signal(episodeKey(1).id, "SIGKILL"),
      () => kernel.signal(episodeKey(1).id, "SIGKILL"),
    ]) {
      const runner = new AgentOSRunner(kernel);
      const running = runner.run(agent, plan(new PolicyReward(), environment({ drivers })));
      await new Promise(setImmediate);
      expect(send(runner)).toBe(true);
      expect(await running).toMatchObject({ outcome: "killed", success: false, reward: 0, cost: 0, stepCount: 1 });
      expect(runner.episodes).toEqual([]);
    }
  });

  it("SIGKILL between two syscalls ends the episode without another", async () => {
    const runner = new AgentOSRunner(kernel);
    const agent: Agent = {
      async act() {
        runner.signal(episodeKey(1).id, "SIGKILL");
        return select;
      },
    };
    expect(await runner.run(agent, plan())).toMatchObject({ outcome: "killed", stepCount: 0 });
  });

  it("20, 40: shows in the rollout of the step that it ended", async () => {
    const runner = new AgentOSRunner(kernel, {
      logger: new MemoryLogger(),
      agent: { act: () => select },
      environment: environment(),
    });
    const step = runner.step("task");
    await new Promise(setImmediate);
    expect(runner.signal("step-0", "SIGTERM")).toBe(false);
    expect(await step).toMatchObject({ outcome: "completed", success: true });
    const stopping = new AgentOSRunner(kernel, {
      logger: new MemoryLogger(),
      environment: environment(),
      agent: {
        act() {
          kernel.signal("step-0", "SIGTERM");
          return select;
        },
      },
    });
    const rollout = await stopping.step("task");
    expect(rollout).toMatchObject({ outcome: "stopped", success: false, signalsSent: ["SIGTERM"], totalPenalty: 0 });
  });
});

describe("counts", () => {
  const counts = { syscalls: 2, violations: 1 };
  it("143: agree when mediated, recorded and penalised are the same", () => {
    expect(disagreement({ mediated: counts, recorded: counts, penalised: counts })).toBeNull();
    for (const part of ["mediated", "recorded", "penalised"] as const)
      for (const change of [{ syscalls: 1 }, { violations: 0 }, { violations: 2 }]) {
        const all = { mediated: counts, recorded: counts, penalised: counts, [part]: { ...counts, ...change } };
        expect(disagreement(all)).toMatch(/mediated .* recorded .* penalised/);
      }
  });

  /** A kernel whose sessions count as they are told. */
  class MiscountingKernel extends KernelSpace {
    miscount: (counts: SessionCounts) => SessionCounts = (counted) => counted;

    override open(options: SessionOptions) {
      const session = super.open(options);
      const count = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(session), "counts")?.get;
      Object.defineProperty(session, "counts", { get: () => this.miscount(count?.call(session)) });
      return session;
    }
  }

  async function miscounting(miscount: MiscountingKernel["miscount"], reward = new PolicyReward()) {
    const wrong = new MiscountingKernel({
      drivers: { sql: { script: "CREATE TABLE orders (id)" } },
      policy: { type: "sql", deny: ["DELETE"], severity: { DELETE: "medium" } },
    });
    await wrong.boot();
    wrong.miscount = miscount;
    const episode = new AgentOSRunner(wrong).begin(plan(reward));
    episode.act(select);
    episode.act(deletion);
    return { record: episode.finish(), segment: wrong.recorder.seal() };
  }

  it("143: that disagree quarantine the episode: it earns nothing, pays, says why, and is recorded as such", async () => {
    const lost = (counted: SessionCounts) => ({ ...counted, recorded: { ...counted.recorded, violations: 0 } });
    const { record, segment } = await miscounting(lost);
    expect(record).toMatchObject({ outcome: "quarantined", success: false, reward: 0, cost: 10, scalarReward: -10 });
    expect(record.error).toMatchObject({
      boundary: "kernel",
      message: expect.stringMatching(/recorded 2 syscalls with 0/),
    });
    expect(new TextDecoder().decode(segment.bytes)).toContain('"outcome":"quarantined"');
    expect((await miscounting((counted) => counted)).record).toMatchObject({ outcome: "completed", reward: 1 });
  });

  it("143: of a reward that leaves a violation without a price quarantine the episode", async () => {
    class Forgetful extends PolicyReward {
      override price(...given: Parameters<PolicyReward["price"]>) {
        return { ...super.price(...given), penalties: [] };
      }
    }
    const { record } = await miscounting((counted) => counted, new Forgetful());
    expect(record).toMatchObject({ outcome: "quarantined", reward: 0 });
  });

  it("143: that disagree quarantine the rollout of a step, which earns nothing", async () => {
    const wrong = new MiscountingKernel({ drivers: { sql: { script: "CREATE TABLE orders (id)" } } });
    wrong.miscount = ({ mediated, recorded }) => ({ mediated: { ...mediated, syscalls: 9 }, recorded });
    const rollout = await new AgentOSRunner(wrong, { logger: new MemoryLogger() }).step("SELECT 1");
    expect(rollout).toMatchObject({ outcome: "quarantined", success: false, taskOutput: null });
    expect(new PolicyReward(wrong).compute(rollout)).toBe(0);
  });
});

describe("the clean bonus of an episode", () => {
  it("50: is not for one that did nothing", () => {
    const idle = new AgentOSRunner(kernel).begin(plan());
    idle.act(null);
    expect(idle.finish()).toMatchObject({ outcome: "completed", stepCount: 0, scalarReward: 1 });
    const busy = new AgentOSRunner(kernel).begin(plan());
    busy.act(select);
    expect(busy.finish().scalarReward).toBe(6);
  });

  it("50: is not for one that no kernel governed", () => {
    const episode = new AgentOSRunner(kernel).begin({ ...plan(), governed: false });
    episode.act(select);
    expect(episode.finish().scalarReward).toBe(1);
  });
});
