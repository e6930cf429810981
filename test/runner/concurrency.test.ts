import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AgentOSRunner } from "../../src/runner/agent-os-runner.ts";
import { bootShop } from "../kernel/shop-kernel.ts";
import { MemoryLogger, PushKernel, warned } from "./kernels.ts";

const quiet = { logViolations: false, logger: new MemoryLogger() };

function labelled(step: number, count: number) {
  return Array.from({ length: count }, (_, index) => ({ ...warned, description: `${step}.${index}` }));
}

describe("concurrent steps", () => {
  it("2, 7, 16, 17: by the hundred on one runner never mix their violations, however they interleave", async () => {
    const action = fc.record({
      count: fc.integer({ min: 0, max: 6 }),
      turns: fc.integer({ min: 0, max: 4 }),
      throws: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 200, maxLength: 400 }), async (actions) => {
        const runner = new AgentOSRunner(new PushKernel(), quiet);
        const rollouts = await Promise.all(
          actions.map(({ count, turns, throws }, step) =>
            runner.step({
              violations: labelled(step, count),
              signals: [`signal of ${step}`],
              turns,
              ...(throws ? { throws: new Error("x") } : {}),
            }),
          ),
        );
        for (const [step, rollout] of rollouts.entries()) {
          const expected = labelled(step, actions[step]?.count ?? 0).map(({ description }) => description);
          expect(rollout.violations.map(({ description }) => description)).toEqual(expected);
          expect(rollout.signalsSent).toEqual([`signal of ${step}`]);
          expect(rollout.outcome).toBe(actions[step]?.throws ? "failed" : "completed");
        }
        expect(runner.violations).toEqual([]);
        expect(runner.getStats().totalViolations).toBe(actions.reduce((sum, { count }) => sum + count, 0));
      }),
      { numRuns: 10 },
    );
  }, 60_000);

  it("2, 16: on a KernelSpace never mix either", async () => {
    const kernel = await bootShop({ policy: { type: "sql", deny: ["DELETE"] } });
    const runner = new AgentOSRunner(kernel, quiet);
    const rollouts = await Promise.all(
      Array.from({ length: 200 }, (_, step) =>
        runner.step([...Array(step % 4).fill(`DELETE FROM orders WHERE id = ${step}`), "SELECT 1"]),
      ),
    );
    for (const [step, { violations, mediated, success }] of rollouts.entries()) {
      expect({ count: violations.length, mediated, success }).toEqual({
        count: step % 4,
        mediated: (step % 4) + 1,
        success: step % 4 === 0,
      });
    }
    kernel[Symbol.dispose]();
  });

  it("2, 17: of one runner within those of another, on one kernel, each have their own", async () => {
    const kernel = new PushKernel();
    const [outer, inner] = [new AgentOSRunner(kernel, quiet), new AgentOSRunner(kernel, quiet)];
    const executeAsync = kernel.executeAsync.bind(kernel);
    let within: Awaited<ReturnType<typeof inner.step>> | undefined;
    kernel.executeAsync = async (input, context) => {
      if (within === undefined && input !== "inner") within = await inner.step("inner");
      return executeAsync(input === "inner" ? { violations: labelled(2, 2) } : input, context);
    };
    const rollout = await outer.step({ violations: labelled(1, 1) });
    expect(within?.violations.map(({ description }) => description)).toEqual(["2.0", "2.1"]);
    // What the inner step broke, the outer one did through it.
    expect(rollout.violations.map(({ description }) => description)).toEqual(["2.0", "2.1", "1.0"]);
    expect(inner.violations).toEqual([]);
  });

  it("2: of two runners side by side on one kernel, each have their own, and no doubt", async () => {
    const kernel = new PushKernel();
    const runners = [new AgentOSRunner(kernel, quiet), new AgentOSRunner(kernel, quiet)];
    const rollouts = await Promise.all(
      runners.map((runner, step) => runner.step({ violations: labelled(step, 3), turns: 2 })),
    );
    expect(rollouts.map(({ violations }) => violations.map(({ description }) => description[0]).join(""))).toEqual([
      "000",
      "111",
    ]);
    expect(rollouts.map(({ outcome }) => outcome)).toEqual(["completed", "completed"]);
  });
});

describe("outside a step", () => {
  it("18: violations and signals go to the runner's own lists", () => {
    const kernel = new PushKernel();
    const runner = new AgentOSRunner(kernel, quiet);
    runner.init();
    kernel.handlers[0]?.(warned);
    kernel.signalHandlers[0]?.("SIGCONT");
    expect(runner.violations).toMatchObject([{ policyName: "content" }]);
    expect(runner.signals).toEqual(["SIGCONT"]);
    expect(runner.getStats().totalViolations).toBe(1);
  });

  it("7, 17, 18: what a step's left-over work reports late reaches no rollout, and casts no doubt on others", async () => {
    const kernel = new PushKernel();
    const runner = new AgentOSRunner(kernel, quiet);
    const late: Promise<void>[] = [];
    const executeAsync = kernel.executeAsync.bind(kernel);
    kernel.executeAsync = async (input, context) => {
      if (input !== "leaky") return executeAsync(input, context);
      late.push(sleep(5).then(() => kernel.handlers[0]?.({ ...warned, description: "late" })));
      return "early";
    };
    const leaky = await runner.step("leaky");
    const other = runner.step({ violations: labelled(1, 5), turns: 12 });
    await Promise.all(late);
    expect(leaky.violations).toEqual([]);
    expect(await other).toMatchObject({ outcome: "completed", totalPenalty: 5 });
    expect(runner.violations.map(({ description }) => description)).toEqual(["late"]);
  });
});
