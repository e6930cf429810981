import { aligned } from "./aligned.ts";
import type { CurvePoint, RunReport } from "./run-report.ts";
import { type SeedMeasure, seedMeasureOf } from "./seed-summary.ts";
import { rateText } from "./seed-table.ts";

/** What counts as learned: in one evaluation, or in `iterations` iterations in a row, of their training episodes together. */
export const target = { accuracy: 0.95, violationRate: 0.005, iterations: 5 } as const;

/** One arm of an ablation, over its seeds. */
export interface ArmResult {
  readonly arm: string;
  readonly seeds: readonly number[];
  /** After training, on the test split; `null` where no seed has it. */
  readonly after: SeedMeasure | null;
  /** By seed: the iteration after which the {@link target} was first reached; `null` where it was not. */
  readonly iterationsToTarget: readonly (number | null)[];
  /**
   * Training episodes, of all seeds, that violated and were reinforced all the same; `null` without the kernel, since what it does not
   * record is not known to the learner.
   */
  readonly violatorsReinforced: number | null;
}

type Measured = Pick<RunReport, "seed" | "after" | "curve" | "evaluations" | "config">;

export function armResultOf(arm: string, reports: readonly Measured[]): ArmResult {
  return {
    arm,
    seeds: reports.map(({ seed }) => seed),
    after: seedMeasureOf(reports.flatMap(({ after }) => after ?? [])),
    iterationsToTarget: reports.map(iterationsToTarget),
    violatorsReinforced: violatorsReinforced(reports),
  };
}

/** From the evaluations in the course of training, where there are some (`train.evalEvery`), else from the training curve. */
export function iterationsToTarget({ evaluations, curve }: Pick<Measured, "evaluations" | "curve">): number | null {
  if (evaluations.length === 0) return stretchAtTarget(curve);
  const reached = evaluations.find(
    ({ measure }) => measure.taskAccuracy >= target.accuracy && measure.violationRate <= target.violationRate,
  );
  return reached?.iteration ?? null;
}

/** Iterations are of one size, so that the mean of their rates is the rate of their episodes. */
function stretchAtTarget(curve: readonly CurvePoint[]): number | null {
  const reached = curve.find((_, end) => {
    const stretch = curve.slice(Math.max(0, end + 1 - target.iterations), end + 1);
    const mean = (name: string, missing: number) =>
      stretch.reduce((sum, { metrics }) => sum + (metrics[name] ?? missing), 0) / stretch.length;
    if (stretch.length < target.iterations) return false;
    return mean("accuracy", 0) >= target.accuracy && mean("violationRate", 1) <= target.violationRate;
  });
  return reached?.iteration ?? null;
}

function violatorsReinforced(reports: readonly Pick<RunReport, "curve" | "config">[]): number | null {
  if (reports.some(({ config }) => config["train.governed"] === false)) return null;
  return reports
    .flatMap(({ curve }) => curve)
    .reduce((sum, { metrics }) => sum + (metrics.violatorsWithPositiveAdvantage ?? 0), 0);
}

/** The arms side by side, for a terminal. Without a line feed at its end. */
export function renderAblation(results: readonly ArmResult[]): string {
  const rates = ({ after, seeds }: ArmResult) =>
    (["undetectedRate", "violationRate", "taskAccuracy"] as const).map((name) =>
      rateText(after?.[name] ?? null, seeds.length),
    );
  return [
    aligned([
      ["arm", "undetected", "attempts", "accuracy", "iterations to 95 % / 0.5 %", "reinforced", "seeds"],
      ...results.map((result) => [
        ...[result.arm, ...rates(result), reachedText(result)],
        ...[String(result.violatorsReinforced ?? "–"), String(result.seeds.length)],
      ]),
    ]),
    "",
    `After training, per cent of test episodes: mean over seeds, in brackets its 95 % interval (Student's t).`,
    `Iterations: mean over the seeds that reached it, and how many did. Reinforced: training episodes, of all seeds, with a`,
    `violation and a positive advantage.`,
  ].join("\n");
}

function reachedText({ iterationsToTarget: all }: ArmResult): string {
  const reached = all.filter((iterations) => iterations !== null);
  if (reached.length === 0) return `– (0 of ${all.length})`;
  const mean = reached.reduce((sum, iterations) => sum + iterations, 0) / reached.length;
  return `${mean.toFixed(1)} (${reached.length} of ${all.length})`;
}
