import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { Rate } from "../../report/bench-report.ts";
import { type Lane, ratesOf } from "./lane.ts";

/** A turn, and what it took of the process. */
export interface ObservedTurn {
  readonly rates: Readonly<Record<Rate, number>>;
  /** Batches that were counted. */
  readonly batches: number;
  /** Processor time of all threads over wall time. */
  readonly coresBusy: number;
  /** Share of the time in which the main thread's event loop had work. */
  readonly mainBusy: number;
  /** Milliseconds. */
  readonly loopDelayP99: number;
  /** Resident memory of the process at the end. */
  readonly processBytes: number;
}

/** Milliseconds between two looks at the event loop, which the delay is over. */
const resolution = 5;

/** Counters that are kept anyway: nothing is slower for being observed so. */
export async function observeTurn(lane: Lane, seconds: number, signal: AbortSignal): Promise<ObservedTurn> {
  using delay = monitorEventLoopDelay({ resolution });
  const [loop, cpu, start] = [performance.eventLoopUtilization(), process.cpuUsage(), performance.now()];
  delay.enable();
  const turn = await lane.takeTurn(seconds, signal);
  delay.disable();
  const { user, system } = process.cpuUsage(cpu);
  const wallMs = performance.now() - start;
  return {
    rates: ratesOf(turn),
    batches: turn.batches,
    coresBusy: (user + system) / 1000 / wallMs,
    mainBusy: performance.eventLoopUtilization(loop).utilization,
    loopDelayP99: Math.max(0, delay.percentile(99) / 1e6 - resolution),
    processBytes: process.memoryUsage.rss(),
  };
}
