import { expect, it } from "vitest";
import { percentilesOf, quartilesOf } from "../../src/report/quartiles.ts";

it("quartiles lie between the order statistics", () => {
  expect(quartilesOf([4, 1, 3, 2, 5])).toEqual({ p25: 2, median: 3, p75: 4 });
  expect(quartilesOf([1, 2])).toEqual({ p25: 1.25, median: 1.5, p75: 1.75 });
  expect(quartilesOf([7])).toEqual({ p25: 7, median: 7, p75: 7 });
});

it("percentiles do, too", () => {
  expect(percentilesOf(Array.from({ length: 101 }, (_, index) => 100 - index))).toEqual({ p50: 50, p95: 95, p99: 99 });
});
