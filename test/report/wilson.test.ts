import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wilson } from "../../src/report/wilson.ts";

describe("the Wilson interval", () => {
  // R. G. Newcombe, Statistics in Medicine 17 (1998), 857–872, table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])("of %i in %i is the published one", (successes, count, low, high) => {
    const interval = wilson(successes, count);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  it("encloses the proportion, stays in [0, 1], and mirrors", () => {
    const counted = fc
      .integer({ min: 0, max: 5000 })
      .chain((count) => fc.tuple(fc.integer({ min: 0, max: count }), fc.constant(count)));
    fc.assert(
      fc.property(counted, ([successes, count]) => {
        const { low, high } = wilson(successes, count);
        const share = count === 0 ? 0.5 : successes / count;
        expect(0 <= low && low <= share && share <= high && high <= 1).toBe(true);
        expect(wilson(count - successes, count).low).toBeCloseTo(1 - high, 9);
      }),
    );
  });

  it("of nothing says nothing", () => {
    expect(wilson(0, 0)).toEqual({ low: 0, high: 1 });
  });

  it.each([
    [-1, 5],
    [6, 5],
    [Number.NaN, 5],
  ])("of %d in %d is refused", (successes, count) => {
    expect(() => wilson(successes, count)).toThrow(RangeError);
  });
});
