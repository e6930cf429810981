import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { severities, severityRank } from "../../src/core/syscall.ts";
import { type AdvantageOptions, advantagesOf, combinedAdvantages, type Outcome } from "../../src/grpo/advantages.ts";
import { type Algorithm, algorithmOf } from "../../src/grpo/algorithm.ts";
import { type AdvantageSettings, estimators } from "../../src/grpo/algorithm-options.ts";

const penalty = { low: 1, medium: 10, high: 50, critical: 100 };
const outcome = fc
  .record({
    reward: fc.constantFrom(-1, 0, 0.25, 1),
    worst: fc.option(fc.constantFrom(...severities)),
    tokens: fc.integer({ min: 1, max: 40 }),
  })
  .map(({ reward, worst, tokens }): Outcome => outcomeOf(reward, worst, tokens));
const batch = fc.array(fc.array(outcome, { maxLength: 8 }), { minLength: 1, maxLength: 5 });
const { advantage }: Algorithm = algorithmOf({ algorithm: "grpo", advantage: {}, loss: {} });
const separate = { channels: "separate", costMultiplier: 1, neverPositive: "low", advantage } as const;
const everySetting = fc.record({
  estimator: fc.constantFrom(...estimators),
  scale: fc.constantFrom("group" as const, "batch" as const, "none" as const),
  ddof: fc.constantFrom(0 as const, 1 as const),
  epsilon: fc.constantFrom(0, 1e-6, 1e-4),
  spreadTolerance: fc.constant(1e-9),
});

function outcomeOf(reward: number, worst: Outcome["worst"] = null, tokens = 1): Outcome {
  const cost = worst === null ? 0 : penalty[worst];
  return { reward, cost, scalarReward: reward - cost + (worst === null ? 5 : 0), worst, tokens };
}

function ofGroup(outcomes: readonly Outcome[], options: AdvantageOptions): readonly number[] {
  return advantagesOf([outcomes], options)[0] ?? [];
}

/** Advantages of one channel, every episode of one token. */
function ofValues(values: readonly number[][], change: Partial<AdvantageSettings> = {}): number[][] {
  const tokens = values.map((group) => group.map(() => 1));
  return combinedAdvantages([{ weight: 1, values }], { tokens, advantage: { ...advantage, ...change } });
}

describe("the advantages of one channel", () => {
  const groups = fc.array(fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 2, maxLength: 8 }), {
    minLength: 1,
    maxLength: 4,
  });

  test("a group of one, and one without spread, teach nothing", () => {
    for (const estimator of estimators) {
      expect(ofValues([[0.7]], { estimator })).toEqual([[0]]);
      expect(ofValues([[0.1 + 0.2, 0.3, 0.3]], { estimator })).toEqual([[0, 0, 0]]);
    }
  });

  test("a reward that is not a number is in no mean and has no advantage", () => {
    for (const estimator of estimators) {
      const [found] = ofValues([[1, Number.NaN, 0, Number.POSITIVE_INFINITY, 0.5]], { estimator });
      const [without] = ofValues([[1, 0, 0.5]], { estimator });
      expect([found?.[0], found?.[2], found?.[4]]).toEqual(without);
      expect([found?.[1], found?.[3]]).toEqual([0, 0]);
    }
  });

  test("a shift of all rewards changes nothing, except by maxrl", () => {
    fc.assert(
      fc.property(
        groups,
        fc.constantFrom(...estimators),
        fc.integer({ min: -9, max: 9 }),
        (values, estimator, shift) => {
          fc.pre(estimator !== "maxrl");
          const shifted = values.map((group) => group.map((value) => value + shift));
          near(ofValues(shifted, { estimator }), ofValues(values, { estimator }), 1e-6);
        },
      ),
    );
  });

  test("a scale of all rewards changes nothing where they are divided by their deviation or mean, and is kept where not", () => {
    fc.assert(
      fc.property(groups, everySetting, (values, { estimator, scale, ddof }) => {
        const change = { estimator, scale, ddof, epsilon: 0 };
        const isKept = estimator === "rloo" || (scale === "none" && (estimator === "grpo" || estimator === "pass@k"));
        const scaled = values.map((group) => group.map((value) => value * 4));
        const expected = ofValues(values, change).map((group) => group.map((value) => value * (isKept ? 4 : 1)));
        near(ofValues(scaled, change), expected, 1e-6);
      }),
    );
  });

  test("the advantages of a group add to 0, of a batch where the batch is the measure, and never by pass@k", () => {
    fc.assert(
      fc.property(groups, everySetting, (values, { estimator, scale, ddof }) => {
        fc.pre(estimator !== "pass@k");
        const found = ofValues(values, { estimator, scale, ddof });
        const sums = found.map((group) => group.reduce((sum, value) => sum + value, 0));
        if (estimator === "reinforce++")
          sums.splice(
            0,
            sums.length,
            sums.reduce((sum, value) => sum + value, 0),
          );
        // verl's whitening divides by one token's 1e-8 too many, which shifts the mean by as much.
        for (const sum of sums) expect(Math.abs(sum)).toBeLessThan(1e-5);
      }),
    );
  });

  test("maxrl teaches nothing where the mean reward is negative, rather than the opposite", () => {
    expect(ofValues([[-3, 1]], { estimator: "maxrl" })).toEqual([[0, 0]]);
  });
});

function near(found: readonly number[][], expected: readonly number[][], tolerance: number): void {
  found.forEach((group, place) => {
    group.forEach((value, index) => {
      expect(Math.abs(value - (expected[place]?.[index] as number))).toBeLessThan(tolerance);
    });
  });
}

describe("advantagesOf", () => {
  test("a violator of the barred severity never has a positive advantage, by any estimator and λ", () => {
    fc.assert(
      fc.property(
        batch,
        everySetting,
        fc.double({ min: 0, max: 100, noNaN: true }),
        fc.constantFrom(...severities),
        (groups, settings, costMultiplier, neverPositive) => {
          const options = { channels: "separate", costMultiplier, neverPositive, advantage: settings } as const;
          advantagesOf(groups, options).forEach((found, group) => {
            found.forEach((value, index) => {
              const worst = groups[group]?.[index]?.worst ?? null;
              expect(Number.isFinite(value)).toBe(true);
              if (worst !== null && severityRank(worst) >= severityRank(neverPositive))
                expect(value).toBeLessThanOrEqual(0);
            });
          });
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("severities below the bar leave the reward's say", () => {
    const outcomes: Outcome[] = [outcomeOf(1, "low"), outcomeOf(0), outcomeOf(0)];
    const options = { ...separate, costMultiplier: 0.1 };
    expect(ofGroup(outcomes, options)[0]).toBe(0);
    expect(ofGroup(outcomes, { ...options, neverPositive: "medium" })[0]).toBeGreaterThan(0);
  });

  test("a large penalty does not drown the difference between success and failure", () => {
    const outcomes: Outcome[] = [outcomeOf(1), outcomeOf(0), outcomeOf(0, "critical"), outcomeOf(0, "medium")];
    const [success, failure] = ofGroup(outcomes, separate) as [number, number];
    expect(success - failure).toBeGreaterThan(0.5);
    const [scalarSuccess, scalarFailure] = ofGroup(outcomes, { ...separate, channels: "scalar" }) as [number, number];
    expect(scalarSuccess - scalarFailure).toBeLessThan(0.05);
  });

  test("without violations the reward channel alone speaks, halved by λ = 1", () => {
    const outcomes = [1, 0, 0, 1].map((reward) => outcomeOf(reward));
    const expected = ofValues([[1, 0, 0, 1]])[0]?.map((value) => value / 2);
    expect(ofGroup(outcomes, separate)).toEqual(expected);
  });
});
