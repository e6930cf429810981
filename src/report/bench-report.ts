import type { Percentiles, Quartiles } from "./quartiles.ts";
import type { Machine } from "./run-report.ts";

/** What `faraday bench` gives: the document of `--json`. */
export interface BenchReport {
  readonly machine: Machine;
  /** Of the machine, over the minute before. */
  readonly load: number;
  /** By name of package. */
  readonly versions: Readonly<Record<string, string>>;
  /** Of measuring, of each row. */
  readonly seconds: number;
  /** Turns that they were cut into. */
  readonly rounds: number;
  readonly rows: readonly BenchRow[];
  readonly ratios: readonly BenchRatio[];
  readonly scaling: readonly Scaling[];
}

/** Who ran the episodes: the pool of workers, the main thread alone, or piscina with tasks that do nothing. */
export const benchRunners = ["faraday", "single-thread", "piscina"] as const;
export type BenchRunner = (typeof benchRunners)[number];

export const rates = ["episodesPerSecond", "stepsPerSecond", "tokensPerSecond"] as const;
export type Rate = (typeof rates)[number];

/** One way to run a workload. Rates are medians over the rounds; a step is a syscall, a token one that the policy model chose. */
export interface BenchRow {
  readonly workload: string;
  readonly runner: BenchRunner;
  /** 0 without a pool. */
  readonly workers: number;
  readonly governed: boolean;
  /** Whether every batch was merged, signed and stored while the next was under way. */
  readonly stored: boolean;
  readonly episodesPerSecond: number;
  readonly stepsPerSecond: number;
  readonly tokensPerSecond: number;
  /** Episodes a second over those of one worker times the workers; `null` where one worker was not measured. */
  readonly efficiency: number | null;
  /** Batches that were counted. */
  readonly runs: number;
  readonly spread: Readonly<Record<Rate, Quartiles>>;
  /** Processor time of the process a second: 2 is two cores busy. */
  readonly coresBusy: number;
  /** Episodes a second of processor time: what a machine that others use changes least. */
  readonly episodesPerCpuSecond: number;
  /** Share of the time in which the main thread's event loop had work. */
  readonly mainBusy: number;
  /** 99th percentile of how late the main thread's timers were, in milliseconds. */
  readonly loopDelayP99: number;
  readonly memory: {
    /** Heap and what it holds outside of it, of each worker, in bytes; `null` without workers. */
    readonly workerBytes: number | null;
    /** Resident memory of the whole process, in bytes: every pool of the workload is in it. */
    readonly processBytes: number;
  };
  /** In milliseconds, of a round of its own; `null` where nothing was recorded, or decided. */
  readonly latency: { readonly episode: Percentiles; readonly decision: Percentiles | null } | null;
  /** Where a round of its own spent its time; the workers are one entry, their mean. */
  readonly threads: readonly ThreadTime[];
}

/**
 * What time goes to. `environment` holds the drivers that act on it, its database among them; `model` is whoever acts; `merge` is what makes one
 * signed store of what workers recorded; `gc` is garbage collection, `other` starting, and what none of the others claims.
 */
export const benchParts = [
  "environment",
  "model",
  "kernel",
  "oracle",
  "record",
  "transfer",
  "merge",
  "learn",
  "gc",
  "other",
  "idle",
] as const;
export type BenchPart = (typeof benchParts)[number];

export interface ThreadTime {
  readonly thread: "main" | "workers" | "store";
  /** Shares of its time, which sum to 1. */
  readonly parts: Readonly<Record<BenchPart, number>>;
}

/** Two rows of one run against each other, by their episodes a second. */
export interface BenchRatio {
  readonly workload: string;
  /** Such as `2 workers / bare piscina tasks`. */
  readonly what: string;
  readonly value: number;
  /** The same by their episodes a second of processor time, which other work on the machine changes least. */
  readonly perCpuSecond: number;
}

/** Amdahl's law fitted to a workload's rows, and what it says of machines with more cores: a projection, not a measurement. */
export interface Scaling {
  readonly workload: string;
  readonly governed: boolean;
  /** Share of an episode's work that more workers do not divide. */
  readonly serialFraction: number;
  readonly measured: readonly { readonly workers: number; readonly episodesPerSecond: number }[];
  readonly projected: readonly {
    readonly workers: number;
    readonly episodesPerSecond: number;
    /** Over one worker. */
    readonly speedup: number;
  }[];
}
