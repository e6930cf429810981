import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { Trainer } from "../../src/run/trainer.ts";
import { AgentOSRunner } from "../../src/runner/agent-os-runner.ts";
import type { GovernedKernel } from "../../src/runner/governed-kernel.ts";
import { GovernedRollout } from "../../src/runner/governed-rollout.ts";
import { PolicyViolation, PolicyViolationError } from "../../src/runner/policy-violation.ts";
import type { RunnerFaceOptions } from "../../src/runner/runner-face.ts";
import { critical, MemoryLogger, PolledKernel, PushKernel, warned } from "./kernels.ts";

function runnerOf<Kernel extends GovernedKernel = PushKernel>(options: RunnerFaceOptions = {}, kernel?: Kernel) {
  const logger = new MemoryLogger();
  const used = kernel ?? new PushKernel();
  return { kernel: used as PushKernel, logger, runner: new AgentOSRunner(used, { logger, ...options }) };
}

describe("a runner", () => {
  it("1: goes on after violations, logs them and calls nobody, unless it is told otherwise", async () => {
    const { runner, logger } = runnerOf();
    const rollout = await runner.step({ violations: [warned] });
    expect(rollout).toMatchObject({ success: true, taskOutput: "done" });
    expect(logger.lines.filter(({ level }) => level === "warning")).toHaveLength(1);
  });

  it("4: prefers executeAsync to execute, and refuses a kernel that has neither, instead of an ungoverned call", async () => {
    const kernel = { execute: () => "sync", getRecentViolations: () => [] };
    expect((await runnerOf({}, kernel).runner.step("x")).taskOutput).toBe("sync");
    const both = { ...kernel, executeAsync: async () => "async" };
    expect((await runnerOf({}, both).runner.step("x")).taskOutput).toBe("async");
    for (const none of [{}, { policies: [] }, null]) {
      const agent = { act: () => expect.unreachable("ungoverned") };
      expect(() => new AgentOSRunner(none as never, { agent })).toThrow(/executeAsync or execute/);
    }
  });

  it("4, 46: refuses a kernel that has no way to tell violations", () => {
    expect(() => new AgentOSRunner({ execute: () => 1 })).toThrow(/onPolicyViolation or getRecentViolations/);
  });

  it("4: fails a step whose kernel has lost its way to execute", async () => {
    const kernel: { execute?: () => unknown; getRecentViolations(): [] } = {
      execute: () => 1,
      getRecentViolations: () => [],
    };
    const { runner } = runnerOf({}, kernel);
    delete kernel.execute;
    expect(await runner.step("x")).toMatchObject({ success: false, taskOutput: null, outcome: "failed" });
  });

  it("141: is refused by a Trainer where it has a callback that would be called by nobody", async () => {
    const runner = new AgentOSRunner(new KernelSpace(), { violationCallback: () => {} });
    await expect(new Trainer({ runner }).config()).rejects.toThrow(/violationCallback .* cannot reach the workers/);
  });

  it("141: takes a violationCallback that is a function, and nothing else", () => {
    expect(() => runnerOf({ violationCallback: "print" as never })).toThrow(/violationCallback must be a function/);
  });
});

describe("a step", () => {
  it("3, 8, 9, 11, 12: hands on resources, mode and signal, and gives a rollout with its real time", async () => {
    const { runner, kernel } = runnerOf();
    const { signal } = new AbortController();
    const resources = { database: "x" };
    const rollout = await runner.step({ returns: 5 }, { resources, mode: "eval", signal });
    expect(kernel.contexts[0]).toMatchObject({ resources, mode: "eval", signal });
    expect(rollout).toBeInstanceOf(GovernedRollout);
    expect(rollout).toMatchObject({ taskInput: { returns: 5 }, taskOutput: 5, success: true, mode: "eval" });
    expect(rollout.executionTimeMs).toBeGreaterThan(0);
    await expect(runner.step({}, { mode: "test" as never })).rejects.toThrow(/mode must be train or eval/);
  });

  it("5, 135: under failOnViolation a blocked violation is thrown inside the action, and the rollout fails, with it recorded once", async () => {
    const seen: unknown[] = [];
    const kernel = new PushKernel();
    const { runner } = runnerOf({ failOnViolation: true, violationCallback: (each) => seen.push(each) }, kernel);
    const executeAsync = kernel.executeAsync.bind(kernel);
    kernel.executeAsync = async (...given) => {
      await expect(executeAsync(...given)).rejects.toThrow(PolicyViolationError);
      return "swallowed";
    };
    const rollout = await runner.step({ violations: [critical, warned] });
    expect(rollout).toMatchObject({ success: false, taskOutput: null, outcome: "stopped", totalPenalty: 100 });
    expect(rollout.violations).toHaveLength(1);
    expect(seen).toHaveLength(1);
    expect(runner.getStats()).toEqual({ totalRollouts: 1, totalViolations: 1, violationRate: 1 });
  });

  it("5, 136: a violation that the kernel itself throws is recorded, once", async () => {
    const violation = new PolicyViolation({ ...critical, policyName: "sql", violationType: "blocked" });
    const { runner } = runnerOf();
    const thrown = await runner.step({ throws: new PolicyViolationError(violation) });
    expect(thrown).toMatchObject({ success: false, taskOutput: null, totalPenalty: 100, violations: [violation] });
    const reported = await runner.step({ violations: [critical], throws: new PolicyViolationError(violation) });
    expect(reported.violations).toHaveLength(1);
  });

  it("6, 136: any other error is a failed rollout, logged with its trace, and does not reach the trainer", async () => {
    for (const throws of [new TypeError("broken"), "a string", null, { toString: 1 }]) {
      const { runner, logger } = runnerOf();
      const rollout = await runner.step({ throws: throws ?? new Error("broken") });
      expect(rollout).toMatchObject({ success: false, taskOutput: null, outcome: "failed" });
      expect(logger.lines.filter(({ level }) => level === "error")).toHaveLength(1);
    }
    const { runner, logger } = runnerOf();
    const error = new Error("broken");
    await runner.step({ throws: error });
    expect(logger.lines).toContainEqual({ level: "error", message: "a step broke", fields: { error } });
    expect(error.stack).toContain("step.test.ts");
  });

  it("135: without failOnViolation a blocked action fails its rollout, and goes on", async () => {
    const rollout = await runnerOf().runner.step({ violations: [critical, warned] });
    expect(rollout).toMatchObject({ success: false, taskOutput: null, totalPenalty: 101 });
  });
});

describe("a violation that is reported", () => {
  it("30, 31, 32, 33, 34, 35: is made, kept, counted, logged, told and thrown, in this order", async () => {
    const order: string[] = [];
    const logger = new MemoryLogger();
    const kernel = new PushKernel();
    const runner: AgentOSRunner<PushKernel> = new AgentOSRunner(kernel, {
      failOnViolation: true,
      logger: Object.assign(logger, {
        warning(message: string, fields: unknown) {
          order.push(`log with ${runner.getStats().totalViolations} counted and ${runner.violations.length} kept`);
          expect({ message, fields }).toEqual({ message: "policy violation", fields: { ...critical } });
        },
      }),
      violationCallback: (violation) => {
        expect(violation).toBeInstanceOf(PolicyViolation);
        order.push("callback");
      },
    });
    runner.init();
    expect(() => kernel.handlers[0]?.(critical)).toThrow(PolicyViolationError);
    expect(order).toEqual(["log with 1 counted and 1 kept", "callback"]);
  });

  it("33: is not logged under logViolations: false", async () => {
    const { runner, logger } = runnerOf({ logViolations: false });
    await runner.step({ violations: [critical] });
    expect(logger.lines).toEqual([]);
  });

  it("34, 35: is thrown even where the callback throws something else", async () => {
    const violationCallback = () => {
      throw new Error("suppressed");
    };
    const { runner, logger } = runnerOf({ failOnViolation: true, violationCallback });
    expect(await runner.step({ violations: [critical] })).toMatchObject({ outcome: "stopped", totalPenalty: 100 });
    expect(logger.lines.map(({ message }) => message)).toContain("violationCallback threw");
  });

  it("35: is not thrown where it was not blocked", async () => {
    const { runner } = runnerOf({ failOnViolation: true });
    expect(await runner.step({ violations: [warned] })).toMatchObject({ success: true, outcome: "completed" });
  });

  it("26, 32: of penalty 0 is kept and costs nothing, and does not count in the rate", async () => {
    const { runner } = runnerOf();
    const rollout = await runner.step({ violations: [{ ...critical, blocked: false, penalty: 0 }] });
    expect(rollout).toMatchObject({ success: true, totalPenalty: 0 });
    expect(rollout.violations).toHaveLength(1);
    expect(runner.getViolationRate()).toBe(0);
  });
});

describe("a rollout", () => {
  it("36: has no violations, no signals, no penalty and no time unless they are given", () => {
    const rollout = new GovernedRollout({ taskInput: 1, taskOutput: 2, success: true });
    expect(rollout).toMatchObject({ violations: [], signalsSent: [], totalPenalty: 0, executionTimeMs: 0 });
  });

  it("37: sums its penalty itself, whatever it is told", async () => {
    const violations = [critical, warned].map(
      (each) => new PolicyViolation({ ...each, policyName: each.policy, violationType: "warned" }),
    );
    const rollout = new GovernedRollout({ taskInput: 1, taskOutput: 2, success: true, violations, totalPenalty: 0 });
    expect(rollout.totalPenalty).toBe(101);
  });

  it("10, 38, 39, 40: is emitted with a summary of its violations, and one of its signals", async () => {
    const emitted: unknown[] = [];
    const emitter = { emitAnnotation: (name: string, attributes: object) => emitted.push([name, attributes]) };
    const { runner } = runnerOf({ emitter });
    const rollout = await runner.step({ violations: [critical, critical, warned], signals: ["SIGSTOP"] });
    expect(rollout.signalsSent).toEqual(["SIGSTOP"]);
    const violations = {
      "agent_os.violation_count": 3,
      "agent_os.total_penalty": 201,
      "agent_os.violation_types": ["blocked", "blocked", "warned"],
      "agent_os.violated_policies": ["sql", "content"],
    };
    expect(emitted).toEqual([
      ["agent_os.violations", violations],
      ["agent_os.signals", { "agent_os.signal_count": 1, "agent_os.signals_sent": ["SIGSTOP"] }],
    ]);
  });

  it("41, 137: is the same without an emitter, or with one that breaks, at once or later", async () => {
    const broken = () => {
      throw new Error("no emitter");
    };
    for (const emitter of [undefined, {}, { emitAnnotation: broken }, { emitAnnotation: async () => broken() }]) {
      const { runner } = runnerOf(emitter === undefined ? {} : { emitter });
      expect(await runner.step({})).toMatchObject({ success: true });
      await sleep(0);
    }
  });
});

describe("iter", () => {
  it("13, 14, 15: fetches, steps and submits until no task is left", async () => {
    const { runner } = runnerOf();
    const tasks = [{ returns: 1 }, { returns: 2 }, { throws: new Error("x") }];
    const submitted: unknown[] = [];
    const store = { fetch: () => tasks.shift() ?? null, submit: (rollout: GovernedRollout) => submitted.push(rollout) };
    runner.initWorker("w1", store);
    expect(await runner.iter()).toBe(3);
    expect(submitted).toMatchObject([{ taskOutput: 1 }, { taskOutput: 2 }, { success: false }]);
  });

  it("13, 15: stops at an abort, after the rollout in hand", async () => {
    const { runner } = runnerOf();
    const controller = new AbortController();
    let fetched = 0;
    const fetch = () => {
      if (++fetched === 3) controller.abort();
      return {};
    };
    expect(await runner.iter({ fetch, signal: controller.signal })).toBe(3);
    expect(await runner.iter({ fetch, signal: AbortSignal.abort() })).toBe(0);
  });

  it("14: does not lose a rollout that cannot be submitted in silence", async () => {
    const submit = () => Promise.reject(new Error("the store is full"));
    await expect(runnerOf().runner.iter({ fetch: () => ({}), submit })).rejects.toThrow("the store is full");
    expect(() => runnerOf().runner.iter()).toThrow(/expected a store or fetch/);
  });
});

describe("the life of a runner", () => {
  it("19, 20, 124, 126: init takes the agent and registers both hooks once, teardown ends that and logs the totals", async () => {
    const { runner, kernel, logger } = runnerOf();
    const agent = { act: () => null };
    runner.init(agent);
    runner.init();
    expect([kernel.handlers.length, kernel.signalHandlers.length]).toEqual([1, 1]);
    await runner.step({ violations: [warned] });
    expect(kernel.contexts[0]?.agent).toBe(agent);
    runner.teardown();
    expect(kernel.handlers).toHaveLength(0);
    const fields = { totalRollouts: 1, totalViolations: 1, violationRate: 1 };
    expect(logger.lines.at(-1)).toEqual({ level: "info", message: "runner closed", fields });
  });

  it("19: registers with the first step where init was forgotten, so that nothing is missed", async () => {
    const rollout = await runnerOf().runner.step({ violations: [critical] });
    expect(rollout.violations).toHaveLength(1);
  });

  it("124, 125: initWorker keeps worker and store until teardownWorker", () => {
    const { runner } = runnerOf();
    const store = { fetch: () => null };
    runner.initWorker(3, store);
    expect([runner.workerId, runner.store]).toEqual([3, store]);
    runner.teardownWorker(4);
    expect(runner.workerId).toBe(3);
    runner.teardownWorker(3);
    expect([runner.workerId, runner.store]).toEqual([null, null]);
  });

  it("127, 128: counts rollouts and violations; the rate is violations a rollout, 0 without any", async () => {
    const { runner } = runnerOf();
    expect(runner.getViolationRate()).toBe(0);
    await runner.step({ violations: [critical, warned, warned] });
    await runner.step({});
    expect(runner.getStats()).toEqual({ totalRollouts: 2, totalViolations: 3, violationRate: 1.5 });
  });
});

describe("a rollout is quarantined, and earns nothing", () => {
  it("46, 139: when its violations cannot be read", async () => {
    const kernel = new PolledKernel();
    const { runner, logger } = runnerOf({}, kernel);
    kernel.broken = true;
    const rollout = await runner.step({ returns: "loot" });
    expect(rollout).toMatchObject({ outcome: "quarantined", success: false, taskOutput: null, totalPenalty: 100 });
    expect(logger.lines.some(({ level }) => level === "warning")).toBe(true);
  });

  it("143: when the kernel attests other violations than the runner saw", async () => {
    const { runner } = runnerOf();
    const agreeing = await runner.step({ violations: [warned], attests: { syscalls: 2, violations: 1 } });
    expect(agreeing).toMatchObject({ outcome: "completed", mediated: 2 });
    const silent = await runner.step({ attests: { syscalls: 2, violations: 1 } });
    expect(silent).toMatchObject({ outcome: "quarantined", success: false, taskOutput: null });
    expect(silent.error).toMatch(/attests 1 violations, the runner saw 0/);
  });

  it("18, 143: when a violation comes that belongs to no step in particular", async () => {
    const { runner, kernel } = runnerOf();
    const step = runner.step({ violations: [warned], turns: 4 });
    kernel.handlers[0]?.(critical);
    expect(await step).toMatchObject({ outcome: "quarantined", success: false });
    expect(runner.violations).toHaveLength(1);
    expect(await runner.step({})).toMatchObject({ outcome: "completed" });
  });

  it("46, 143: when steps overlap on a kernel that can only be polled", async () => {
    const { runner } = runnerOf({}, new PolledKernel());
    const [one, two] = await Promise.all([runner.step({ violations: [warned] }), runner.step({})]);
    expect([one?.outcome, two?.outcome]).toContain("quarantined");
    expect(await runner.step({ violations: [warned] })).toMatchObject({ outcome: "completed", totalPenalty: 1 });
  });
});

it("4: other kernels than a KernelSpace take steps alone", () => {
  const runner = new AgentOSRunner(new PushKernel()) as unknown as AgentOSRunner<KernelSpace>;
  expect(() => runner.begin({} as never)).toThrow(/need a KernelSpace/);
});
