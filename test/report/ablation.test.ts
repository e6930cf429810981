import { describe, expect, it } from "vitest";
import { armResultOf, iterationsToTarget, renderAblation } from "../../src/report/ablation.ts";

/** A curve whose rates are these, one an iteration, in per cent and per mille. */
function curve(...rates: readonly (readonly [accuracy: number, attempts: number])[]) {
  const points = rates.map(([accuracy, attempts], index) => ({
    iteration: index + 1,
    metrics: { accuracy: accuracy / 100, violationRate: attempts / 1000 },
  }));
  return { curve: points, evaluations: [] };
}

describe("iterations to the target", () => {
  const good = [96, 4] as const;

  it("count to the end of the first stretch whose episodes together are at it", () => {
    expect(iterationsToTarget(curve([80, 90], good, good, good, good, good))).toBe(6);
    expect(iterationsToTarget(curve([92, 9], [97, 4], [97, 4], [97, 4], [97, 4]))).toBe(5);
  });

  it("are none where the stretch is too short, or one of the two was missed", () => {
    expect(iterationsToTarget(curve(good, good, good, good))).toBeNull();
    expect(iterationsToTarget(curve(...Array(9).fill([99, 6])))).toBeNull();
    expect(iterationsToTarget(curve(...Array(9).fill([94, 0])))).toBeNull();
    expect(iterationsToTarget(curve())).toBeNull();
  });

  it("are those of the first evaluation at it, where there were evaluations", () => {
    const at = (iteration: number, taskAccuracy: number, violationRate: number) => ({
      ...{ iteration, measure: { taskAccuracy, violationRate, undetectedRate: 0, episodes: 100 } },
    });
    const { curve: best } = curve(...Array(9).fill([100, 0]));
    const evaluations = [at(2, 0.96, 0.006), at(4, 0.94, 0), at(6, 0.95, 0.005), at(8, 1, 0)];
    expect(iterationsToTarget({ curve: best, evaluations })).toBe(6);
    expect(iterationsToTarget({ curve: best, evaluations: evaluations.slice(0, 2) })).toBeNull();
  });

  it("are none where the curve lacks a figure", () => {
    expect(
      iterationsToTarget({
        curve: Array(9).fill({ iteration: 1, metrics: { accuracy: 1 } }),
        evaluations: [],
      }),
    ).toBeNull();
  });
});

it("an arm shows means over its seeds, and how many reached the target", () => {
  const after = { taskAccuracy: 0.96, violationRate: 0, undetectedRate: 0, episodes: 100 };
  const reports = [
    { seed: 1, after, config: {}, ...curve(...Array(5).fill([99, 0])) },
    { seed: 2, after: { ...after, taskAccuracy: 0.98 }, config: {}, ...curve() },
  ];
  const result = armResultOf("separate", reports);
  expect(result).toMatchObject({ seeds: [1, 2], iterationsToTarget: [5, null], after: { episodes: 200 } });
  expect(result.after?.taskAccuracy.mean).toBeCloseTo(0.97, 12);
  const table = renderAblation([result, armResultOf("none", [])]);
  expect(table).toMatch(
    /^separate +0\.0 \(0\.0–0\.0\) +0\.0 \(0\.0–0\.0\) +97\.0 \(84\.3–100\.0\) +5\.0 \(1 of 2\) +0 +2$/m,
  );
  expect(table).toMatch(/^none +– +– +– +– \(0 of 0\) +0 +0$/m);
});

it("counts the violators that were reinforced, where the kernel recorded them", () => {
  const point = { iteration: 1, metrics: { violatorsWithPositiveAdvantage: 3 } };
  const run = { seed: 1, after: null, curve: [point, point], evaluations: [] };
  expect(armResultOf("scalar", [{ ...run, config: { "train.governed": true } }]).violatorsReinforced).toBe(6);
  expect(armResultOf("none", [{ ...run, config: { "train.governed": false } }]).violatorsReinforced).toBeNull();
});
