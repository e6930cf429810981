import type { Worker } from "node:worker_threads";
import type { ResolvedConfig } from "../../config/config-schema.ts";
import type { Workload } from "../../config/workloads.ts";
import type { BenchReport, BenchRow } from "../../report/bench-report.ts";
import { BenchStore } from "./bench-store.ts";
import { watch } from "./insight.ts";
import { checkRunning } from "./lane.ts";
import { LaneMaker, type LaneSpec, nameOf } from "./lane-maker.ts";
import { observeTurn } from "./observed-turn.ts";
import { type MeasuredLane, ratiosOf, rowsOf, scalingOf } from "./rows.ts";

export interface BenchOptions {
  readonly workloads: readonly BenchWorkload[];
  /** Numbers of workers to compare, each once. */
  readonly workerCounts: readonly number[];
  /** Time of each row over all its turns; a batch that has begun is finished. */
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** What goes on, in a line. */
  readonly tell: (text: string) => void;
}

export interface BenchWorkload extends Pick<Workload, "name" | "against"> {
  /** Whether its batches are merged, signed and stored. */
  readonly stored: boolean;
  /** Under the kernel, without it, or both. */
  readonly governed: readonly boolean[];
  readonly config: ResolvedConfig;
}

/** Turns that every row has, so that a slow spell of the machine falls on all of them. */
export const roundCount = 5;

/**
 * Rolls out each workload in every way that is asked for, in turns; then once more in each, watched closely, to see where the time goes.
 * @throws {FaradayError} where the signal is aborted, after the batch in hand, or an episode fails.
 */
export async function measureBench(options: BenchOptions): Promise<Pick<BenchReport, "rows" | "ratios" | "scaling">> {
  const rows: BenchRow[] = [];
  // Idle workers do not keep the process alive, nor do questions that they are asked.
  const alive = setInterval(() => {}, 60_000);
  try {
    for (const workload of options.workloads) rows.push(...(await measureWorkload(workload, options)));
  } finally {
    clearInterval(alive);
  }
  return { rows, ratios: ratiosOf(rows), scaling: scalingOf(rows) };
}

async function measureWorkload(workload: BenchWorkload, options: BenchOptions): Promise<readonly BenchRow[]> {
  const { signal, seconds, tell } = options;
  await using store = workload.stored ? await BenchStore.open() : null;
  const maker = await LaneMaker.of(workload, { store, tell });
  const measured = await measureInTurns(specsOf(workload, options), maker, options);
  const watched = [];
  for (const lane of measured) {
    checkRunning(signal);
    tell(`${workload.name}: watching ${nameOf(lane.spec)}`);
    watched.push({ ...lane, ...(await watch(maker, lane.spec, { seconds, signal })) });
  }
  return rowsOf(workload.name, watched);
}

async function measureInTurns(
  specs: readonly LaneSpec[],
  maker: LaneMaker,
  { signal, seconds, tell }: BenchOptions,
): Promise<readonly MeasuredLane[]> {
  await using open = new AsyncDisposableStack();
  const measured = [];
  for (const spec of specs) {
    checkRunning(signal);
    tell(`${maker.workload}: starting ${nameOf(spec)}`);
    const lane = open.use(await maker.make(spec));
    await lane.warmUp();
    measured.push({ spec, lane, turns: [] as MeasuredLane["turns"][number][], workerBytes: [] as number[] });
  }
  for (let round = 1; round <= roundCount; round++) {
    for (const { spec, lane, turns, workerBytes } of measured) {
      checkRunning(signal);
      turns.push(await observeTurn(lane, seconds / roundCount, signal));
      workerBytes.push(...(await Promise.all(lane.threads.map(bytesOf))));
      const rate = turns.at(-1)?.rates.episodesPerSecond ?? 0;
      tell(`${maker.workload}: round ${round} of ${roundCount}, ${nameOf(spec)}: ${rate.toFixed(0)} episodes/s`);
    }
  }
  return measured;
}

function specsOf({ against, governed }: BenchWorkload, { workerCounts }: BenchOptions): readonly LaneSpec[] {
  const pools = governed.flatMap((is) =>
    workerCounts.map((workers) => ({ runner: "faraday" as const, workers, governed: is })),
  );
  if (against === undefined) return pools;
  const isPiscina = against === "piscina";
  const workers = isPiscina ? Math.max(...workerCounts) : 0;
  return [...pools, { runner: against, workers, governed: !isPiscina && (governed[0] ?? true) }];
}

/** Heap and what it holds outside of it, in bytes. */
async function bytesOf(worker: Worker): Promise<number> {
  const { total_heap_size, external_memory, malloced_memory } = await worker.getHeapStatistics();
  return total_heap_size + external_memory + malloced_memory;
}
