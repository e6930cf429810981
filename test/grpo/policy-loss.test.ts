import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clippedSurrogate } from "../../src/grpo/policy-loss.ts";

const logProbability = fc.double({ min: -6, max: -0.01, noNaN: true });

function lossAt(values: readonly number[], old: readonly number[], advantage: number) {
  const derivative = new Float64Array(values.length);
  const sampled = { oldLogProbabilities: old, advantage };
  const figures = clippedSurrogate(Float64Array.from(values), sampled, { clipRange: 0.2, weight: 1, derivative });
  return { ...figures, derivative };
}

describe("clippedSurrogate", () => {
  test("on the policy that sampled, the derivative is −A a token and nothing is clipped", () => {
    const { derivative, clipped, klSum, loss } = lossAt([-1, -2], [-1, -2], 0.5);
    expect([...derivative]).toEqual([-0.5, -0.5]);
    expect({ clipped, klSum, loss }).toEqual({ clipped: 0, klSum: 0, loss: -1 });
  });

  test("a ratio past the clip in the advantage's favour moves no further; the other way it still pulls back", () => {
    expect(lossAt([-0.5], [-1], 1)).toMatchObject({ clipped: 1, derivative: Float64Array.of(0), loss: -1.2 });
    expect(lossAt([-1.5], [-1], -1)).toMatchObject({ clipped: 1, derivative: Float64Array.of(0), loss: 0.8 });
    expect(lossAt([-0.5], [-1], -1).derivative[0]).toBeCloseTo(Math.exp(0.5), 12);
    expect(lossAt([-1.5], [-1], 1).derivative[0]).toBeCloseTo(-Math.exp(-0.5), 12);
  });

  test("the derivative is that of the loss", () => {
    fc.assert(
      fc.property(
        logProbability,
        logProbability,
        fc.double({ min: -2, max: 2, noNaN: true }),
        (value, old, advantage) => {
          const ratio = Math.exp(value - old);
          fc.pre(Math.abs(ratio - 0.8) > 1e-3 && Math.abs(ratio - 1.2) > 1e-3);
          const step = 1e-6;
          const slope =
            (lossAt([value + step], [old], advantage).loss - lossAt([value - step], [old], advantage).loss) /
            (2 * step);
          expect(Math.abs((lossAt([value], [old], advantage).derivative[0] as number) - slope)).toBeLessThan(
            1e-6 * Math.max(1, ratio ** 2),
          );
        },
      ),
    );
  });

  test("the KL estimate is never negative", () => {
    fc.assert(
      fc.property(logProbability, logProbability, (value, old) => {
        expect(lossAt([value], [old], 1).klSum).toBeGreaterThanOrEqual(-1e-12);
      }),
    );
  });
});
