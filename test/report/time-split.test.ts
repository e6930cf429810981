import fc from "fast-check";
import { expect, it } from "vitest";
import { timeSplitOf } from "../../src/report/time-split.ts";

it("the parts of a run's time add up to its wall time, unless they overlap by more than what is left", () => {
  const seconds = fc.double({ min: 0, max: 100, noNaN: true });
  const metrics = fc.record({ rolloutSeconds: seconds, learnSeconds: seconds, storeSeconds: seconds });
  fc.assert(
    fc.property(
      fc.array(fc.record({ metrics })),
      seconds,
      fc.double({ min: 0, max: 1e5, noNaN: true }),
      (curve, evaluationSeconds, wallSeconds) => {
        const split = timeSplitOf(curve, { wallSeconds, evaluationSeconds });
        const sum = Object.values(split).reduce((total, part) => total + part, 0);
        const spent = sum - split.idle;
        expect(split.idle).toBeGreaterThanOrEqual(0);
        expect(sum).toBeCloseTo(Math.max(wallSeconds, spent), 6);
      },
    ),
  );
});

it("iterations without a figure count as none of that part", () => {
  const split = timeSplitOf([{ metrics: { rolloutSeconds: 2 } }, { metrics: {} }], {
    wallSeconds: 5,
    evaluationSeconds: 1,
  });
  expect(split).toEqual({ evaluation: 1, rollout: 2, learn: 0, store: 0, idle: 2 });
});
