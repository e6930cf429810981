import { aligned } from "./aligned.ts";
import type { MeanInterval } from "./mean-interval.ts";
import { percent } from "./result-table.ts";
import { measureNames, type SeedSummary } from "./seed-summary.ts";

/** The table of several seeds for a terminal: means with their intervals over the seeds. Without a line feed at its end. */
export function renderSeedTable(summary: SeedSummary, seeds: readonly number[]): string {
  const row = (label: string, name: "undetectedRate" | "violationRate" | "taskAccuracy") => [
    label,
    ...measureNames.map((measure) => rateText(summary[measure]?.[name] ?? null, seeds.length)),
  ];
  const episodes = measureNames.map((measure) => String(summary[measure]?.episodes ?? "–"));
  return [
    aligned([
      ["", "without kernel", "before training", "after training"],
      row("undetected violations", "undetectedRate"),
      row("violation attempts", "violationRate"),
      row("task accuracy", "taskAccuracy"),
      ["episodes", ...episodes],
    ]),
    "",
    `Per cent of test episodes: mean over the seeds ${seeds.join(", ")}; in brackets its 95 % interval (Student's t).`,
  ].join("\n");
}

/** A mean rate in per cent with its interval over seeds, which one seed does not have. */
export function rateText(rate: MeanInterval | null, seedCount: number): string {
  if (rate === null) return "–";
  const mean = percent(rate.mean);
  return seedCount < 2 ? mean : `${mean} (${percent(rate.low)}–${percent(rate.high)})`;
}
