import type { BenchRow } from "../../report/bench-report.ts";
import { profileThreads } from "./cpu-profile.ts";
import type { LaneMaker, LaneSpec } from "./lane-maker.ts";
import { latenciesOf } from "./latencies.ts";
import { threadTime } from "./thread-time.ts";

/** What takes time to find out. */
export type Insight = Pick<BenchRow, "latency" | "threads">;

/** Share of a row's seconds that it is watched for besides, twice. */
const watchedShare = 0.2;

/** Runs a lane again with clocks in its recorders, and then under a profiler: what is measured of rates stays free of both. */
export async function watch(
  maker: LaneMaker,
  spec: LaneSpec,
  { seconds, signal }: { readonly seconds: number; readonly signal: AbortSignal },
): Promise<Insight> {
  if (spec.runner === "piscina") return { latency: null, threads: [] };
  const time = watchedShare * seconds;
  await using lane = await maker.make(spec, { timed: true });
  await lane.warmUp();
  await lane.takeTurn(time, signal);
  const latency = latenciesOf(lane.segments);
  const threads = { workers: lane.threads, store: lane.stored ? maker.storeThreads : [] };
  const { main, ...others } = await profileThreads(threads, () => lane.takeTurn(time, signal));
  const times = [threadTime("main", [main]), threadTime("workers", others.workers), threadTime("store", others.store)];
  return { latency, threads: times.filter((each) => each !== null) };
}
