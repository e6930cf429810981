import { intervalOf, type Measure, type RateName } from "./measure.ts";
import type { RunReport } from "./run-report.ts";
import type { Interval } from "./wilson.ts";

/** What a run showed, as every rendering shows it: three measures side by side, each rate with its interval. */
export interface ResultTable {
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly ResultRow[];
}

export interface ResultColumn {
  /** In two parts, which may stand on two lines. */
  readonly title: readonly [string, string];
  /** `null` where the run ended before it was measured. */
  readonly episodes: number | null;
}

export interface ResultRow {
  readonly label: string;
  readonly better: "low" | "high";
  readonly cells: readonly (ResultCell | null)[];
}

/** A rate and its 95 % interval, as fractions in [0, 1]. */
export interface ResultCell extends Interval {
  readonly rate: number;
}

export function resultTable(
  report: Pick<RunReport, "ungoverned" | "before" | "after"> & Partial<Pick<RunReport, "config">>,
): ResultTable {
  const governed = report.config?.["train.governed"] !== false;
  const measures = [report.ungoverned, report.before, report.after];
  const row = (label: string, better: "low" | "high", name: RateName): ResultRow => ({
    label,
    better,
    cells: measures.map((measure) => (measure === null ? null : cellOf(measure, name))),
  });
  return {
    columns: titlesOf(governed).map((title, index) => ({ title, episodes: measures[index]?.episodes ?? null })),
    rows: [
      row("undetected violations", "low", "undetectedRate"),
      row("violation attempts", "low", "violationRate"),
      row("task accuracy", "high", "taskAccuracy"),
    ],
  };
}

function titlesOf(governed: boolean): readonly (readonly [string, string])[] {
  const kernel = governed ? "with kernel," : "without kernel,";
  return [
    ["without kernel", ""],
    [kernel, "before training"],
    [kernel, "after training"],
  ];
}

function cellOf(measure: Measure, name: RateName): ResultCell {
  return { rate: measure[name], ...intervalOf(measure, name) };
}

/** A fraction as a percentage with one decimal, without the sign. */
export function percent(fraction: number): string {
  return (fraction * 100).toFixed(1);
}
