import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { severities } from "../../src/core/syscall.ts";
import { CompositeReward } from "../../src/runner/composite-reward.ts";
import { GovernedRollout } from "../../src/runner/governed-rollout.ts";
import { policyPenalty } from "../../src/runner/policy-penalty.ts";
import { createPolicyReward, PolicyReward, type RewardedRollout } from "../../src/runner/policy-reward.ts";
import { PolicyViolation } from "../../src/runner/policy-violation.ts";
import type { RewardOptions } from "../../src/runner/reward-options.ts";
import { MemoryLogger, PolledKernel } from "./kernels.ts";

const spec = { profile: "spec" } as const;

function broken(...violations: readonly object[]): RewardedRollout {
  return { success: true, violations, mediated: 1 };
}

const severity = (name: string, rest: object = {}) => ({ policy: "sql", description: "x", severity: name, ...rest });
const worth = (options: RewardOptions, base: number, rollout: RewardedRollout) =>
  new PolicyReward(null, { ...options, baseRewardFn: () => base }).compute(rollout);

describe("the configuration of a reward", () => {
  it("42: has the specification's defaults under profile spec; null disables a bound", () => {
    expect(new PolicyReward(null, { config: spec }).config).toEqual({
      profile: "spec",
      criticalPenalty: -100,
      highPenalty: -50,
      mediumPenalty: -10,
      lowPenalty: -1,
      cleanBonus: 5,
      multiplicative: false,
      multiplicativeFactor: 0.5,
      minReward: -100,
      maxReward: 100,
    });
    const free = new PolicyReward(null, { config: { ...spec, minReward: null, maxReward: null } });
    expect(free.config).toMatchObject({ minReward: null, maxReward: null });
    expect(worth({ ...spec, minReward: "none" }, 1, broken(severity("critical"), severity("critical")))).toBe(-199);
  });

  it("42, 51: has no bounds under the default profile strict", () => {
    expect(new PolicyReward().config).toMatchObject({ profile: "strict", minReward: null, maxReward: null });
  });

  it.each<[string, object]>([
    ["a penalty that pays", { criticalPenalty: 1 }],
    ["an unknown key", { fatalPenalty: -1 }],
    ["a factor that pays", { multiplicativeFactor: 2 }],
  ])("42: refuses %s", (_, config) => {
    expect(() => new PolicyReward(null, { config })).toThrow(Object.keys(config)[0]?.replace(/Penalty$/, ""));
  });

  it("43, 132: comes with kernel and base reward, and from the factory with severities by name", () => {
    const kernel = new PolledKernel();
    const baseRewardFn = () => 2;
    const reward = createPolicyReward(kernel, {
      baseRewardFn,
      severityPenalties: { critical: -7 },
      cleanBonus: 1,
      multiplicative: true,
    });
    expect(reward.kernel).toBe(kernel);
    expect(reward.config).toMatchObject({ criticalPenalty: -7, highPenalty: -50, cleanBonus: 1, multiplicative: true });
    expect(reward.compute(broken())).toBe(3);
    expect(createPolicyReward(kernel).config).toEqual(new PolicyReward(kernel).config);
    expect(() => createPolicyReward(kernel, { severityPenalties: { fatal: -1 } as never })).toThrow(/fatal/);
  });

  it("142: is plain, frozen data with every default told; a base reward of one's own is marked as such", () => {
    const reward = new PolicyReward(null, { high: 70 });
    expect(Object.isFrozen(reward.options)).toBe(true);
    expect(structuredClone(reward.options)).toEqual(reward.options);
    expect(Object.keys(reward.options)).toEqual(
      expect.arrayContaining(["profile", "critical", "low", "multiplicative"]),
    );
    expect(reward.customBaseReward).toBe(false);
    expect(new PolicyReward(null, { baseRewardFn: () => 1 }).customBaseReward).toBe(true);
    expect(() => new PolicyReward(null, { baseRewardFn: 1 as never })).toThrow(/baseRewardFn must be a function/);
  });
});

describe("the reward of a rollout", () => {
  it("44, 45: starts from 1 for success, else 0; or from whether there is an output", () => {
    const base = (rollout: RewardedRollout) => new PolicyReward(null).evaluate({ violations: [], ...rollout }).base;
    expect([true, false].map((success) => base({ success }))).toEqual([1, 0]);
    expect(["x", 0, null, undefined].map((taskOutput) => base({ taskOutput }))).toEqual([1, 1, 0, 0]);
    expect(base({ success: false, taskOutput: "x" })).toBe(0);
  });

  it("45: asks the base reward first, and takes finite numbers alone", () => {
    expect(() => worth({}, Number.NaN, broken())).toThrow(/finite number, got NaN/);
  });

  it("46: takes the violations of the rollout, else the kernel's recent ones", () => {
    const kernel = new PolledKernel();
    kernel.recent = [severity("high")];
    const reward = new PolicyReward(kernel);
    expect(reward.compute({ success: true })).toBe(-49);
    kernel.recent = [severity("high")];
    expect(reward.compute({ success: true, violations: [] })).toBe(1);
  });

  it.each<["strict" | "spec"]>([["strict"], ["spec"]])(
    "46: earns nothing and is quarantined where they cannot be read (%s)",
    (profile) => {
      const kernel = new PolledKernel();
      kernel.broken = true;
      for (const used of [kernel, null]) {
        const result = new PolicyReward(used, { profile, logger: new MemoryLogger() }).evaluate({
          success: true,
          mediated: 1,
        });
        expect(result).toMatchObject({ quarantined: true, base: 1, final: -100 });
      }
      const quarantined = new PolicyReward(null).evaluate({
        success: true,
        violations: [],
        outcome: "quarantined",
        mediated: 1,
      });
      expect(quarantined).toMatchObject({ final: 0, quarantined: true });
    },
  );

  it("47, 49: is base plus the penalties by severity, without a bonus", () => {
    expect(severities.map((name) => worth(spec, 1, broken(severity(name))))).toEqual([0, -9, -49, -99]);
    expect(severities.map((name) => worth({}, 1, broken(severity(name))))).toEqual([0, -9, -49, -99]);
    expect(worth({}, 1, broken(severity("low"), severity("high")))).toBe(-50);
  });

  it("26, 47: keeps a penalty of the violation's own under strict; the specification knows severities alone", () => {
    const own = broken(severity("critical", { penalty: 3 }));
    expect(worth({}, 1, own)).toBe(-2);
    expect(worth(spec, 1, own)).toBe(-99);
    const derived = new PolicyViolation({
      policyName: "sql",
      description: "x",
      severity: "high",
      violationType: "blocked",
    });
    expect(worth({ high: 70 }, 1, broken(derived))).toBe(-69);
  });

  it("26, 50: neither costs nor forfeits the bonus where the violation was only watched", () => {
    for (const options of [{}, spec]) expect(worth(options, 1, broken(severity("critical", { penalty: 0 })))).toBe(6);
  });

  it("48: is base times the factor in multiplicative mode; spec pays for a violation on a negative base, strict takes the magnitude", () => {
    const multiplicative = { multiplicative: true, multiplicativeFactor: 0.5 };
    const on = (options: RewardOptions) =>
      [10, 1, 0, -10].map((base) => worth({ ...options, ...multiplicative }, base, broken(severity("low"))));
    expect(on(spec)).toEqual([5, 0.5, 0, -5]);
    expect(on({})).toEqual([5, 0.5, -0.5, -15]);
    expect(worth({ ...spec, ...multiplicative }, 10, broken())).toBe(15);
  });

  it("50: has the clean bonus without violations; strict asks that the kernel attests at least one syscall, and success", () => {
    const clean = (rest: object) => ({ success: true, violations: [], ...rest });
    expect(worth(spec, 1, clean({}))).toBe(6);
    expect([{}, { mediated: null }, { mediated: 0 }, { mediated: 1 }].map((rest) => worth({}, 1, clean(rest)))).toEqual(
      [1, 1, 1, 6],
    );
    expect(worth({}, 0, { success: false, violations: [], mediated: 1 })).toBe(0);
  });

  it("51, 52: is bounded by floor and ceiling under spec, or where they are given", () => {
    const two = broken(severity("critical"), severity("critical"));
    expect(worth(spec, 1, two)).toBe(-100);
    expect(worth(spec, 500, broken())).toBe(100);
    expect(worth({}, 1, two)).toBe(-199);
    expect(worth({}, 500, broken())).toBe(505);
    expect(worth({ minReward: -150, maxReward: 2 }, 1, two)).toBe(-150);
    expect(worth({ minReward: -150, maxReward: 2 }, 1, broken())).toBe(2);
  });

  it("48, 50, 51, 52: under strict one violation more always pays less", () => {
    const names = fc.array(fc.constantFrom(...severities), { maxLength: 6 });
    fc.assert(
      fc.property(names, fc.double({ min: -1e3, max: 1e3, noNaN: true }), fc.nat(50), (before, base, cleanBonus) => {
        const one = (given: readonly string[]) =>
          worth({ cleanBonus }, base, broken(...given.map((name) => severity(name))));
        expect(one([...before, "low"])).toBeLessThan(one(before));
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: 0, max: 99 }), (base, percent) => {
        const options = { multiplicative: true, multiplicativeFactor: percent / 100, cleanBonus: 0 };
        expect(worth(options, base, broken(severity("low")))).toBeLessThan(worth(options, base, broken()));
      }),
    );
  });

  it("53, 59, 60: is counted until the statistics are reset", () => {
    const reward = new PolicyReward(null);
    const none = { totalRewards: 0, totalPenalties: 0, avgPenalty: 0, violationRate: 0, cleanRate: 0 };
    expect(reward.getStats()).toEqual(none);
    reward.compute(broken(severity("high"), severity("medium")));
    for (let index = 0; index < 3; index++) reward.compute(broken());
    expect(reward.getStats()).toEqual({
      totalRewards: 4,
      totalPenalties: -60,
      avgPenalty: -15,
      violationRate: 0.25,
      cleanRate: 0.75,
    });
    reward.resetStats();
    expect(reward.getStats()).toEqual(none);
  });

  it("54, 55, 56, 57: is emitted with base and penalty, and returned", () => {
    const emitted: unknown[] = [];
    const emitter = { emitReward: (reward: object, attributes: object) => emitted.push({ ...reward, ...attributes }) };
    const reward = new PolicyReward(null, { emitter });
    expect(reward.compute(broken(severity("medium")))).toBe(-9);
    expect(reward.compute(broken())).toBe(6);
    reward.compute(broken(), { emit: false });
    expect(emitted).toEqual([
      { final: -9, base: 1, policy_penalty: -10, "agent_os.violation_count": 1, "agent_os.policy_compliant": false },
      { final: 6, base: 1, policy_penalty: 0, "agent_os.violation_count": 0, "agent_os.policy_compliant": true },
    ]);
  });

  it("58, 137: is the same where there is no emitter, or it breaks", () => {
    const emitReward = () => {
      throw new Error("no emitter");
    };
    const logger = new MemoryLogger();
    for (const emitter of [{}, { emitReward }])
      expect(new PolicyReward(null, { emitter, logger }).compute(broken())).toBe(6);
    expect(logger.lines).toHaveLength(1);
  });

  it("55: of a governed rollout is that of its violations", () => {
    const violation = new PolicyViolation({
      policyName: "sql",
      description: "x",
      severity: "critical",
      violationType: "blocked",
    });
    const rollout = new GovernedRollout({
      taskInput: 0,
      taskOutput: 1,
      success: true,
      violations: [violation],
      mediated: 3,
    });
    expect(new PolicyReward(null).compute(rollout)).toBe(-99);
  });
});

describe("the price of an episode", () => {
  const score = { success: true, reward: 1 };
  it("50: has the bonus where the kernel mediated a syscall and the episode completed", () => {
    const reward = new PolicyReward();
    expect(reward.price(score, [], { mediated: 1 }).scalarReward).toBe(6);
    expect(reward.price(score, [], { mediated: 0 }).scalarReward).toBe(1);
    expect(reward.price(score, []).scalarReward).toBe(1);
    expect(reward.price(null, [], { mediated: 1 }).scalarReward).toBe(0);
    expect(new PolicyReward(null, spec).price(null, []).scalarReward).toBe(5);
  });

  it("26: keeps explicit penalties in the cost channel, 0 among them", () => {
    const given = [
      { severity: "critical", penalty: 2.5 },
      { severity: "high", penalty: 0 },
      { severity: "low" },
    ] as const;
    expect(new PolicyReward().price(score, given, { mediated: 3 })).toEqual({
      reward: 1,
      cost: 3.5,
      scalarReward: -2.5,
      penalties: [2.5, 0, 1],
    });
    expect(new PolicyReward(null, spec).price(score, given).penalties).toEqual([100, 0, 1]);
  });
});

describe("policyPenalty", () => {
  it("61, 64: sums by severity, and is never more than 0", () => {
    expect(policyPenalty(severities.map((name) => ({ severity: name })))).toBe(-161);
    expect(policyPenalty([{ severity: "critical" }], { criticalPenalty: -7 })).toBe(-7);
    expect(policyPenalty([])).toBe(0);
    expect(() => policyPenalty([{ severity: "low" }], { lowPenalty: 1 })).toThrow(/at most 0/);
  });

  it("62, 63: takes a missing or unknown severity for medium", () => {
    expect(policyPenalty([{}, { severity: "unknown_level" }, { severity: "critical" }])).toBe(-120);
  });
});

describe("a composite reward", () => {
  it("65, 67: is the weighted sum of its components, functions or rewards", () => {
    const composite = new CompositeReward<RewardedRollout>([
      [() => 10, 1],
      [new PolicyReward(null), 0.5],
    ]);
    expect(composite.compute(broken())).toBe(13);
  });

  it("66: divides the weights by their sum if asked to", () => {
    const composite = new CompositeReward<object>(
      [
        [() => 1, 3],
        [() => 0, 1],
      ],
      { normalize: true },
    );
    expect(composite.components.map(([, weight]) => weight)).toEqual([0.75, 0.25]);
    expect(composite.compute({})).toBe(0.75);
    expect(
      () =>
        new CompositeReward(
          [
            [() => 1, 1],
            [() => 1, -1],
          ],
          { normalize: true },
        ),
    ).toThrow(/sum to 0/);
    expect(() => new CompositeReward([])).toThrow(/must not be empty/);
  });
});
