import { Bench } from "tinybench";
import { type Quartiles, quartilesOf } from "../src/report/quartiles.ts";
import type { FillBench } from "./suite.ts";

export interface MeasuredTask {
  readonly suite: string;
  readonly task: string;
  /** What is counted, e.g. `episode`. */
  readonly unit: string;
  /** Units of one timed run. */
  readonly unitsPerRun: number;
  /** Timed runs over all rounds. */
  readonly runs: number;
  readonly unitsPerSecond: Quartiles;
}

export interface MeasureOptions {
  /** Every task has its turn in every round, so that a slow spell of the machine falls on all of them. */
  readonly rounds: number;
  /** Of one task in one round, at least. */
  readonly timeMs: number;
  readonly runsMin: number;
  readonly warmup: boolean;
  /** The one task that is run; all of them where none is named. */
  readonly only?: string;
}

/** Sets a suite up, runs its tasks in turns, and takes it down again. */
export async function measureSuite(
  suite: string,
  fill: FillBench,
  { rounds, timeMs, runsMin, warmup, only }: MeasureOptions,
): Promise<readonly MeasuredTask[]> {
  await using resources = new AsyncDisposableStack();
  const bench = new Bench({
    ...{ time: timeMs, iterations: runsMin, warmup, warmupTime: timeMs / 4, warmupIterations: 1 },
    ...{ throws: true, retainSamples: true },
  });
  const amounts = await fill(bench, resources);
  for (const { name } of [...bench.tasks]) if (only !== undefined && name !== only) bench.remove(name);
  const latencies = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    // Without this, a second run measures nothing and gives the results of the first.
    bench.reset();
    for (const { name, result } of await bench.run()) {
      if (result.state !== "completed") throw new Error(`${suite}: ${name} ended as ${result.state}`);
      latencies.set(name, [...(latencies.get(name) ?? []), ...(result.latency.samples ?? [])]);
    }
  }
  return [...latencies].map(([task, runsMs]) => {
    const amount = amounts[task];
    if (amount === undefined) throw new Error(`${suite}: the amount of ${task} is missing`);
    const { count, unit } = amount;
    const unitsPerSecond = quartilesOf(runsMs.map((ms) => (count * 1000) / ms));
    return { suite, task, unit, unitsPerRun: count, runs: runsMs.length, unitsPerSecond };
  });
}
