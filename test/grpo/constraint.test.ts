import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../../src/core/random.ts";
import { type MultiplierState, startMultiplier, stepMultiplier } from "../../src/grpo/constraint.ts";
import { type Constraint, constraint, multiplierControllers } from "../../src/grpo/constraint-options.ts";

const initial = 2;
const batchEpisodes = 256;

/**
 * An agent whose reward tempts it to violate and whose cost holds it back: in each update the log-odds of a violation move by what the
 * reward weighs, 1 / (1 + λ), less what the cost weighs, λ / (1 + λ). Rates are counted in batches, so that they are noisy.
 */
function simulate(options: Constraint | undefined, { updates, seed }: { updates: number; seed: number }) {
  const random = new Random(seed);
  const rates: number[] = [];
  const multipliers: number[] = [];
  let logOdds = -2;
  let state = startMultiplier(initial);
  for (let update = 0; update < updates; update++) {
    const probability = 1 / (1 + Math.exp(-logOdds));
    const rate =
      Array.from({ length: batchEpisodes }, () => random.next()).filter((value) => value < probability).length /
      batchEpisodes;
    state = stepMultiplier(state, rate, options);
    logOdds += 0.2 * ((1 - 0.25 * state.multiplier) / (1 + state.multiplier));
    rates.push(rate);
    multipliers.push(state.multiplier);
  }
  return { rates, multipliers };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe.each(multiplierControllers)("the %s controller", (controller) => {
  it.each([1, 2, 3])(
    "drives the rate of violations to the budget, where a fixed multiplier does not (seed %i)",
    (seed) => {
      const budget = 0.05;
      const options = constraint.parse({ controller, violationRate: budget });
      const held = simulate(options, { updates: 2000, seed }).rates.slice(-1000);
      const free = simulate(undefined, { updates: 2000, seed }).rates.slice(-1000);
      expect(Math.abs(mean(held) - budget)).toBeLessThan(0.005);
      expect(mean(free)).toBeGreaterThan(0.9);
    },
  );

  it("keeps the multiplier within 0 and its maximum, whatever the rates and gains", () => {
    const rates = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 200 });
    const gain = fc.double({ min: 0, max: 1000, noNaN: true });
    fc.assert(
      fc.property(rates, gain, gain, (given, one, other) => {
        const gains = { step: one, proportional: other, integral: one, derivative: other };
        const options = constraint.parse({ controller, ...gains, multiplierMax: 7 });
        let state = startMultiplier(initial);
        for (const rate of given) {
          state = stepMultiplier(state, rate, options);
          for (const value of [state.multiplier, state.integral]) expect(value >= 0 && value <= 7).toBe(true);
        }
      }),
    );
  });

  it("goes on from its written state as if it had never stopped", () => {
    const options = constraint.parse({ controller });
    const rates = [0.2, 0.1, 0, 0.02, 0.3, 0];
    const step = (state: MultiplierState, rate: number) => stepMultiplier(state, rate, options);
    const whole = rates.reduce(step, startMultiplier(initial));
    const half = JSON.parse(
      JSON.stringify(rates.slice(0, 3).reduce(step, startMultiplier(initial))),
    ) as MultiplierState;
    expect(rates.slice(3).reduce(step, half)).toEqual(whole);
  });

  it("raises the multiplier above the budget and lowers it below", () => {
    const options = constraint.parse({ controller, violationRate: 0.1 });
    const multiplierAfter = (rate: number) => stepMultiplier(startMultiplier(initial), rate, options).multiplier;
    expect(multiplierAfter(0.2)).toBeGreaterThan(initial);
    expect(multiplierAfter(0.1)).toBe(initial);
    expect(multiplierAfter(0)).toBeLessThan(initial);
  });
});

it("PID answers a rate that grows at once, and takes nothing away for one that falls", () => {
  const options = constraint.parse({ proportional: 0, integral: 0, derivative: 10, smoothing: 0 });
  const first = stepMultiplier(startMultiplier(0), 0.1, options);
  const grown = stepMultiplier(first, 0.3, options);
  expect(grown.multiplier).toBeCloseTo(2, 12);
  expect(stepMultiplier(grown, 0.1, options).multiplier).toBe(0);
});

it("without a constraint the multiplier is the one of the config", () => {
  const { multipliers } = simulate(undefined, { updates: 50, seed: 1 });
  expect(new Set(multipliers)).toEqual(new Set([initial]));
});

it("a rate that is none is refused", () => {
  for (const rate of [Number.NaN, -0.1, 1.1])
    expect(() => stepMultiplier(startMultiplier(1), rate, undefined)).toThrow(/0\.\.1/);
});
