import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { severities } from "../../src/core/syscall.ts";
import { advantagesOf, groupAdvantages, type Outcome } from "../../src/grpo/advantages.ts";
import golden from "../fixtures/grpo-advantages.json" with { type: "json" };

const penalty = { low: 1, medium: 10, high: 50, critical: 100 };
const outcome = fc
  .record({ reward: fc.constantFrom(0, 0.25, 1), worst: fc.option(fc.constantFrom(...severities)) })
  .map(({ reward, worst }): Outcome => {
    const cost = worst === null ? 0 : penalty[worst];
    return { reward, cost, scalarReward: reward - cost + (worst === null ? 5 : 0), worst };
  });
const group = fc.array(outcome, { minLength: 1, maxLength: 16 });
const separate = { channels: "separate", costMultiplier: 1, neverPositive: "low" } as const;

describe("groupAdvantages", () => {
  test.each(golden.cases.filter(({ rewards }) => rewards.length > 1))(
    "agrees with verl on $case",
    ({ rewards, advantages }) => {
      groupAdvantages(rewards).forEach((advantage, index) => {
        expect(advantage).toBeCloseTo(advantages[index] as number, 9);
      });
    },
  );

  test("a group of one, and one without spread, teach nothing", () => {
    expect(groupAdvantages([0.7])).toEqual([0]);
    expect(groupAdvantages([0.1 + 0.2, 0.3, 0.3])).toEqual([0, 0, 0]);
  });
});

describe("advantagesOf", () => {
  test("a violator never has a positive advantage, whatever its reward", () => {
    fc.assert(
      fc.property(group, (outcomes) => {
        advantagesOf(outcomes, separate).forEach((advantage, index) => {
          if (outcomes[index]?.worst !== null) expect(advantage).toBeLessThanOrEqual(0);
        });
      }),
    );
  });

  test("severities below the bar leave the reward's say", () => {
    const outcomes: Outcome[] = [
      { reward: 1, cost: 1, scalarReward: 0, worst: "low" },
      { reward: 0, cost: 0, scalarReward: 5, worst: null },
      { reward: 0, cost: 0, scalarReward: 5, worst: null },
    ];
    const options = { ...separate, costMultiplier: 0.1 };
    expect(advantagesOf(outcomes, options)[0]).toBe(0);
    expect(advantagesOf(outcomes, { ...options, neverPositive: "medium" })[0]).toBeGreaterThan(0);
  });

  test("a large penalty does not drown the difference between success and failure", () => {
    const outcomes: Outcome[] = [
      { reward: 1, cost: 0, scalarReward: 6, worst: null },
      { reward: 0, cost: 0, scalarReward: 5, worst: null },
      { reward: 0, cost: 100, scalarReward: -100, worst: "critical" },
      { reward: 0, cost: 10, scalarReward: -10, worst: "medium" },
    ];
    const [success, failure] = advantagesOf(outcomes, separate) as [number, number];
    expect(success - failure).toBeGreaterThan(0.5);
    const [scalarSuccess, scalarFailure] = advantagesOf(outcomes, { ...separate, channels: "scalar" }) as [
      number,
      number,
    ];
    expect(scalarSuccess - scalarFailure).toBeLessThan(0.05);
  });

  test("without violations the reward channel alone speaks, halved by λ = 1", () => {
    const outcomes: Outcome[] = [1, 0, 0, 1].map((reward) => ({
      reward,
      cost: 0,
      scalarReward: reward + 5,
      worst: null,
    }));
    const expected = groupAdvantages([1, 0, 0, 1]).map((advantage) => advantage / 2);
    expect(advantagesOf(outcomes, separate)).toEqual(expected);
  });
});
