import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Adam, clipByNorm } from "../../src/model/optimiser.ts";

describe("Adam", () => {
  test("two steps agree with those worked out by hand", () => {
    const adam = new Adam(2, { beta1: 0.5, beta2: 0.75, epsilon: 0.5 });
    const weights = Float32Array.of(1, 1);
    // m = 0.5·2 = 1, v = 0.25·4 = 1; corrected 2 and 4: the step is 0.1 · 2 / (√4 + 0.5) = 0.08.
    adam.step(weights, Float32Array.of(2, 0), 0.1);
    expect(weights[0]).toBeCloseTo(0.92, 6);
    expect(weights[1]).toBe(1);
    // m = 0.5·1 − 0.5·1 = 0 and so no step, whatever v; the other: m̂ = 2/0.75, v̂ = 4/0.4375 (1 − 0.75² = 0.4375).
    adam.step(weights, Float32Array.of(-1, 4), 0.1);
    expect(weights[0]).toBeCloseTo(0.92, 6);
    expect(weights[1]).toBeCloseTo(1 - (0.1 * (2 / 0.75)) / (Math.sqrt(4 / 0.4375) + 0.5), 6);
  });

  test("the first step has the size of the learning rate, whatever the gradient's", () => {
    const slope = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
    fc.assert(
      fc.property(slope, fc.boolean(), (size, down) => {
        const weights = Float32Array.of(0);
        new Adam(1).step(weights, Float32Array.of(down ? -size : size), 0.25);
        expect(weights[0]).toBeCloseTo(down ? 0.25 : -0.25, 4);
      }),
    );
  });

  test("weight decay shrinks weights by itself, not through the moments", () => {
    const weights = Float32Array.of(2);
    const adam = new Adam(1, { weightDecay: 0.5 });
    adam.step(weights, Float32Array.of(0), 0.1);
    expect(weights[0]).toBeCloseTo(2 - 0.1 * 0.5 * 2, 6);
    expect([adam.first[0], adam.second[0]]).toEqual([0, 0]);
  });
});

test("clipping keeps the direction and bounds the norm; what is short enough stays as it is", () => {
  const values = fc.float32Array({ minLength: 1, maxLength: 8, min: -1000, max: 1000, noNaN: true });
  fc.assert(
    fc.property(values, (gradient) => {
      const clipped = gradient.slice();
      const norm = clipByNorm(clipped, 1);
      expect(norm).toBeCloseTo(Math.hypot(...gradient), 3);
      expect(Math.hypot(...clipped)).toBeLessThanOrEqual(1 + 1e-5);
      const expected = norm <= 1 ? gradient : gradient.map((value) => value / norm);
      for (const [index, value] of expected.entries()) expect(clipped[index]).toBeCloseTo(value, 4);
    }),
  );
});
