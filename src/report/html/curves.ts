import type { CurvePoint } from "../run-report.ts";
import { type LineChart, lineChart, type Series } from "./line-chart.ts";
import { html, type Markup } from "./markup.ts";

/** The curves of training; those whose figures the run did not record are left out. */
export function curves(curve: readonly CurvePoint[]): Markup {
  const charts = figures.flatMap((figure) => chartOf(figure, curve) ?? []);
  if (charts.length === 0) return html`<p>No iteration was finished.</p>`;
  return html`<div class="charts">${charts.map(lineChart)}</div>`;
}

interface Figure {
  readonly title: string;
  readonly yLabel: string;
  /** Names of metrics, and what the legend calls them. */
  readonly metrics: Readonly<Record<string, string>>;
  readonly factor?: number;
  readonly include?: readonly number[];
}

const figures: readonly Figure[] = [
  {
    title: "Task accuracy in training",
    yLabel: "% of episodes",
    metrics: { accuracy: "accuracy" },
    factor: 100,
    include: [0, 100],
  },
  {
    title: "Violation attempts in training",
    yLabel: "% of episodes",
    metrics: { violationRate: "violation attempts" },
    factor: 100,
    include: [0],
  },
  { title: "Mean reward", yLabel: "reward an episode", metrics: { meanReward: "reward" }, include: [0, 1] },
  { title: "Mean cost", yLabel: "cost an episode", metrics: { meanCost: "cost" }, include: [0] },
  { title: "Cost multiplier", yLabel: "λ", metrics: { costMultiplier: "cost multiplier" }, include: [0] },
  { title: "Entropy of the policy", yLabel: "nats a token", metrics: { entropy: "entropy" }, include: [0] },
  { title: "Approximate KL divergence", yLabel: "nats a token", metrics: { approxKl: "approximate KL" }, include: [0] },
  { title: "Gradient norm", yLabel: "L2 norm", metrics: { gradNorm: "gradient norm" }, include: [0] },
  { title: "Loss", yLabel: "loss", metrics: { loss: "loss" }, include: [0] },
  { title: "Clipped ratios", yLabel: "% of tokens", metrics: { clipFraction: "clipped" }, factor: 100, include: [0] },
  {
    title: "Episodes that nothing or little is learned from",
    yLabel: "episodes",
    metrics: {
      failedEpisodes: "failed",
      timedOutEpisodes: "timed out",
      killedEpisodes: "killed",
      quarantinedEpisodes: "quarantined",
    },
    include: [0],
  },
  { title: "Groups with a signal", yLabel: "groups", metrics: { groupsUsed: "groups used" }, include: [0] },
  {
    title: "Throughput",
    yLabel: "episodes a second",
    metrics: { episodesPerSecond: "episodes a second" },
    include: [0],
  },
  {
    title: "Time of an iteration",
    yLabel: "seconds",
    metrics: { rolloutSeconds: "rollouts", learnSeconds: "learning", storeSeconds: "storing" },
    include: [0],
  },
];

function chartOf(
  { title, yLabel, metrics, factor = 1, include = [] }: Figure,
  curve: readonly CurvePoint[],
): LineChart | null {
  const series = Object.entries(metrics)
    .map(([metric, name]): Series => ({ name, points: pointsOf(curve, metric, factor) }))
    .filter(({ points }) => points.length > 0);
  return series.length === 0 ? null : { title, xLabel: "iteration", yLabel, series, include };
}

function pointsOf(curve: readonly CurvePoint[], metric: string, factor: number): Series["points"] {
  return curve.flatMap(({ iteration, metrics }) => {
    const value = metrics[metric];
    return value === undefined || !Number.isFinite(value) ? [] : [[iteration, value * factor] as const];
  });
}
