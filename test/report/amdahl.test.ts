import { expect, it } from "vitest";
import { fitAmdahl } from "../../src/report/amdahl.ts";

const curve = (serial: number, counts: readonly number[]) =>
  counts.map((workers) => ({ workers, episodesPerSecond: 1000 / (serial + (1 - serial) / workers) }));

it.each([0, 0.05, 0.5, 1])("finds the serial fraction %d that rates were made from, and projects by it", (serial) => {
  const fit = fitAmdahl(curve(serial, [1, 2, 4]));
  expect(fit?.serialFraction).toBeCloseTo(serial, 9);
  expect(fit?.projected.map(({ workers }) => workers)).toEqual([8, 32, 128]);
  for (const { workers, speedup, episodesPerSecond } of fit?.projected ?? []) {
    expect(speedup).toBeCloseTo(1 / (serial + (1 - serial) / workers), 6);
    expect(episodesPerSecond).toBeCloseTo(1000 * speedup, 3);
  }
});

it("has no negative part where more workers bring more, or less, than the law allows", () => {
  const rates = (two: number) => [1, 2].map((workers) => ({ workers, episodesPerSecond: workers === 1 ? 100 : two }));
  expect(fitAmdahl(rates(250))?.serialFraction).toBe(0);
  expect(fitAmdahl(rates(80))?.serialFraction).toBe(1);
});

it("says nothing of one number of workers, or of none", () => {
  expect(fitAmdahl(curve(0.1, [2]))).toBeNull();
  expect(fitAmdahl([])).toBeNull();
});
