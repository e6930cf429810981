import { type MeanInterval, meanInterval } from "./mean-interval.ts";
import { type Measure, type RateName, rateNames } from "./measure.ts";
import type { RunReport } from "./run-report.ts";

/** A rate over seeds: the mean of the runs' rates with its t interval, and what was counted in all of them together. */
export interface SeedRate extends MeanInterval {
  /** One a seed, in their order. */
  readonly values: readonly number[];
  /** Episodes with it, of all of {@link SeedMeasure.episodes}. */
  readonly count: number;
}

export type SeedMeasure = Readonly<Record<RateName, SeedRate>> & { readonly episodes: number };

export const measureNames = ["ungoverned", "before", "after"] as const;
export type SeedSummary = Readonly<Record<(typeof measureNames)[number], SeedMeasure | null>>;

/** The measures of runs that differ in their seed alone; `null` where none of them has it. */
export function seedSummaryOf(reports: readonly Pick<RunReport, (typeof measureNames)[number]>[]): SeedSummary {
  const of = (name: (typeof measureNames)[number]) => seedMeasureOf(reports.flatMap((report) => report[name] ?? []));
  return { ungoverned: of("ungoverned"), before: of("before"), after: of("after") };
}

export function seedMeasureOf(measures: readonly Measure[]): SeedMeasure | null {
  if (measures.length === 0) return null;
  const rate = (name: RateName): SeedRate => {
    const values = measures.map((measure) => measure[name]);
    const count = measures.reduce((sum, measure) => sum + Math.round(measure[name] * measure.episodes), 0);
    return { ...meanInterval(values), values, count };
  };
  const [taskAccuracy, violationRate, undetectedRate] = rateNames.map(rate) as [SeedRate, SeedRate, SeedRate];
  const episodes = measures.reduce((sum, measure) => sum + measure.episodes, 0);
  return { taskAccuracy, violationRate, undetectedRate, episodes };
}
