import { describe, expect, it } from "vitest";
import { Random } from "../../src/core/random.ts";
import { meanInterval } from "../../src/report/mean-interval.ts";

describe("the mean of some seeds", () => {
  it("has the interval of Student's t", () => {
    // Mean 0.5, deviation 0.1581, error 0.0707; t for 4 degrees of freedom is 2.7764.
    const { mean, low, high } = meanInterval([0.3, 0.4, 0.5, 0.6, 0.7]);
    expect(mean).toBeCloseTo(0.5, 12);
    expect(high - mean).toBeCloseTo(0.19632, 5);
    expect(mean - low).toBeCloseTo(0.19632, 5);
  });

  it("has the quantile of many degrees of freedom too, which no table holds", () => {
    const t = (count: number) => {
      const values = Array.from({ length: count }, (_, index) => (index % 2 === 0 ? 0.4 : 0.6));
      const { mean, high } = meanInterval(values);
      const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      return (high - mean) / Math.sqrt(squares / (count - 1) / count);
    };
    expect(t(12)).toBeCloseTo(2.201, 2);
    expect(t(31)).toBeCloseTo(2.04227, 3);
    expect(t(101)).toBeCloseTo(1.98397, 4);
  });

  it("covers the truth 95 times in 100", () => {
    const random = new Random(7);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
    const covered = Array.from({ length: 4000 }, () =>
      meanInterval(Array.from({ length: 5 }, () => 0.5 + 0.05 * normal())),
    ).filter(({ low, high }) => low <= 0.5 && high >= 0.5).length;
    expect(covered / 4000).toBeGreaterThan(0.94);
    expect(covered / 4000).toBeLessThan(0.96);
  });

  it("stays a rate, and one seed alone says nothing of others", () => {
    expect(meanInterval([0, 0.01, 0]).low).toBe(0);
    expect(meanInterval([0.98])).toEqual({ mean: 0.98, low: 0, high: 1 });
    expect(() => meanInterval([])).toThrow(RangeError);
  });
});
