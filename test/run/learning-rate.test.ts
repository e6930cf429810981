import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { learningRateSchedules } from "../../src/config/loop-options.ts";
import { learningRateAt } from "../../src/run/learning-rate.ts";

const base = { learningRate: 0.5, iterations: 8, warmup: 0 } as const;

function ratesOf(options: Parameters<typeof learningRateAt>[1]): number[] {
  return Array.from({ length: options.iterations }, (_, index) => learningRateAt(index + 1, options));
}

describe("the learning rate", () => {
  it("falls evenly with linear", () => {
    expect(ratesOf({ ...base, learningRateSchedule: "linear" })).toEqual(
      [8, 7, 6, 5, 4, 3, 2, 1].map((left) => 0.5 * (left / 8)),
    );
  });

  it("stays with constant", () => {
    expect(new Set(ratesOf({ ...base, learningRateSchedule: "constant" }))).toEqual(new Set([0.5]));
  });

  it("is half of itself half-way with cosine", () => {
    const rates = ratesOf({ ...base, learningRateSchedule: "cosine" });
    expect(rates[0]).toBe(0.5);
    expect(rates[4]).toBeCloseTo(0.25, 12);
    expect(rates[7]).toBeCloseTo((0.5 * (1 + Math.cos((7 / 8) * Math.PI))) / 2, 12);
  });

  it("rises evenly over the warmup", () => {
    expect(ratesOf({ ...base, learningRateSchedule: "constant", warmup: 3 })).toEqual([
      ...[0.125, 0.25, 0.375],
      ...[0.5, 0.5, 0.5, 0.5, 0.5],
    ]);
  });

  it("is positive, at most learningRate, and falls once it has risen", () => {
    const options = fc.record({
      learningRate: fc.double({ min: 1e-6, max: 1, noNaN: true }),
      learningRateSchedule: fc.constantFrom(...learningRateSchedules),
      iterations: fc.integer({ min: 1, max: 60 }),
      warmup: fc.integer({ min: 0, max: 80 }),
    });
    fc.assert(
      fc.property(options, (given) => {
        const rates = ratesOf(given);
        expect(rates.every((rate) => rate > 0 && rate <= given.learningRate)).toBe(true);
        const top = Math.min(given.warmup + 1, given.iterations);
        expect(rates.slice(0, top)).toEqual(rates.slice(0, top).toSorted((one, other) => one - other));
        expect(rates.slice(top)).toEqual(rates.slice(top).toSorted((one, other) => other - one));
      }),
    );
  });
});
