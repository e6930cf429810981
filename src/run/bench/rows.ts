import { fitAmdahl } from "../../report/amdahl.ts";
import type { BenchRatio, BenchRow, Rate, Scaling } from "../../report/bench-report.ts";
import { rates } from "../../report/bench-report.ts";
import { type Quartiles, quartilesOf } from "../../report/quartiles.ts";
import type { Insight } from "./insight.ts";
import type { Lane } from "./lane.ts";
import type { LaneSpec } from "./lane-maker.ts";
import type { ObservedTurn } from "./observed-turn.ts";

/** A lane and its turns so far. */
export interface MeasuredLane {
  readonly spec: LaneSpec;
  readonly lane: Pick<Lane, "stored">;
  readonly turns: readonly ObservedTurn[];
  /** Heap and what it holds outside, of each worker after each turn. */
  readonly workerBytes: readonly number[];
}

export function rowsOf(workload: string, lanes: readonly (MeasuredLane & Insight)[]): readonly BenchRow[] {
  const rows = lanes.map((lane) => rowOf(workload, lane));
  return rows.map((row) => ({ ...row, efficiency: efficiencyOf(row, rows) }));
}

function rowOf(
  workload: string,
  { spec, lane, turns, workerBytes, latency, threads }: MeasuredLane & Insight,
): BenchRow {
  const spread = Object.fromEntries(
    rates.map((rate) => [rate, quartilesOf(turns.map((turn) => turn.rates[rate]))]),
  ) as Record<Rate, Quartiles>;
  const median = (of: (turn: ObservedTurn) => number) => quartilesOf(turns.map(of)).median;
  return {
    ...{ workload, ...spec, stored: lane.stored },
    episodesPerSecond: spread.episodesPerSecond.median,
    stepsPerSecond: spread.stepsPerSecond.median,
    tokensPerSecond: spread.tokensPerSecond.median,
    efficiency: null,
    runs: turns.reduce((sum, { batches }) => sum + batches, 0),
    spread,
    coresBusy: median(({ coresBusy }) => coresBusy),
    episodesPerCpuSecond: median((turn) => turn.rates.episodesPerSecond / turn.coresBusy),
    mainBusy: median(({ mainBusy }) => mainBusy),
    loopDelayP99: median(({ loopDelayP99 }) => loopDelayP99),
    memory: {
      workerBytes: workerBytes.length === 0 ? null : quartilesOf(workerBytes).median,
      processBytes: Math.max(...turns.map(({ processBytes }) => processBytes)),
    },
    latency,
    threads,
  };
}

function efficiencyOf(row: BenchRow, rows: readonly BenchRow[]): number | null {
  if (row.runner !== "faraday") return null;
  const single = rows.find((other) => isSameBut(row, other) && other.workers === 1);
  return single === undefined ? null : row.episodesPerSecond / single.episodesPerSecond / row.workers;
}

/** Whether two rows of one workload differ in their workers alone. */
function isSameBut(one: BenchRow, other: BenchRow): boolean {
  return one.workload === other.workload && one.runner === other.runner && one.governed === other.governed;
}

/** What the rows of one run say of each other. */
export function ratiosOf(rows: readonly BenchRow[]): readonly BenchRatio[] {
  return rows.flatMap((row) => {
    if (row.runner !== "faraday") return [];
    return rows.flatMap((other) => {
      const what = comparisonOf(row, other);
      const value = row.episodesPerSecond / other.episodesPerSecond;
      const perCpuSecond = row.episodesPerCpuSecond / other.episodesPerCpuSecond;
      if (what === null) return [];
      return [{ workload: row.workload, what: `workers ${row.workers} / ${what}`, value, perCpuSecond }];
    });
  });
}

/** What a row is worth setting against, in words; `null` where it is not. */
function comparisonOf(row: BenchRow, other: BenchRow): string | null {
  if (other.workload !== row.workload) return null;
  if (other.runner === "piscina") return other.workers === row.workers ? "bare piscina tasks" : null;
  if (other.runner === "single-thread") return "one thread without pool and store";
  if (row.governed && !other.governed && other.workers === row.workers) return "the same ungoverned";
  return isSameBut(row, other) && other.workers === 1 && row.workers > 1 ? "worker 1" : null;
}

export function scalingOf(rows: readonly BenchRow[]): readonly Scaling[] {
  const pools = rows.filter(({ runner }) => runner === "faraday");
  const curves = Map.groupBy(pools, ({ workload, governed }) => `${workload} ${governed}`);
  return [...curves.values()].flatMap((curve) => {
    const measured = curve.map(({ workers, episodesPerSecond }) => ({ workers, episodesPerSecond }));
    const fit = fitAmdahl(measured);
    const [first] = curve;
    if (fit === null || first === undefined) return [];
    return [{ workload: first.workload, governed: first.governed, measured, ...fit }];
  });
}
