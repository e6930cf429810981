import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { ResolvedConfig } from "../config/config-schema.ts";
import { FaradayError } from "../core/errors.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";
import { configHelp, configOf, configOptions } from "./config-options.ts";
import { integerOption, parseInteger } from "./option-values.ts";

const { workers: _, ...otherOptions } = configOptions;

export const bench: Command = {
  summary: "Measure how fast whole training runs go, by number of workers",
  usage: ["bench [config] [--workers 1,2] [--seconds N]"],
  description: `${configHelp}

Each number of workers trains for the given time in a folder of its own that is removed afterwards. The first iteration,
which includes loading, is not counted.`,
  positionals: { min: 0, max: 1, names: ["[config]"] },
  options: {
    ...otherOptions,
    workers: { value: "N,N", summary: "Numbers of workers to measure", default: "1 and the number of cores" },
    seconds: { value: "N", summary: "Time for each", default: "10" },
  },
  examples: ["faraday bench", "faraday bench --workers 1,2,4 --seconds 20 --json"],
  run: runBench,
};

/** Throughput of training with one number of workers. */
interface Throughput {
  readonly workers: number;
  readonly iterations: number;
  readonly episodesPerSecond: number;
}

async function runBench(invocation: Invocation): Promise<CommandResult> {
  const seconds = integerOption(invocation, "seconds", { min: 1, max: 3600 }) ?? 10;
  const counts = workerCounts(invocation.value("workers"));
  const { config } = await configOf(withoutWorkers(invocation), invocation.positionals[0]);
  const results: Throughput[] = [];
  for (const workers of counts) {
    invocation.terminal.stderr.write(`${workers} workers for ${seconds} s\n`);
    results.push(await measure({ ...config, workers }, { seconds, signal: invocation.signal }));
  }
  return { json: { seconds, results }, text: table(results) };
}

function workerCounts(text: string | undefined): readonly number[] {
  if (text === undefined) return [...new Set([1, availableParallelism()])];
  return text.split(",").map((part) => parseInteger(part, { what: "--workers", min: 1, max: 256 }));
}

/** Here --workers is a list, which is no config value. */
function withoutWorkers(invocation: Invocation): Invocation {
  return { ...invocation, value: (name) => (name === "workers" ? undefined : invocation.value(name)) };
}

async function measure(
  config: ResolvedConfig & { readonly workers: number },
  { seconds, signal }: { readonly seconds: number; readonly signal: AbortSignal },
): Promise<Throughput> {
  const { train } = await import("../run/train.ts");
  const folder = await mkdtemp(join(tmpdir(), "faraday-bench-"));
  const enough = new AbortController();
  const ends: number[] = [];
  try {
    await train({
      config: { ...config, train: { ...config.train, iterations: 100_000, evalEpisodes: 1 } },
      out: join(folder, "run"),
      signal: AbortSignal.any([signal, enough.signal]),
      events: (event) => {
        if (event.type !== "iteration-end") return;
        ends.push(performance.now());
        if (secondsBetween(ends) >= seconds) enough.abort(new Error("measured long enough"));
      },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  if (signal.aborted) throw new FaradayError("the measurement was cancelled");
  const iterations = ends.length - 1;
  const { groupsPerBatch, groupSize } = config.train;
  const episodes = iterations * groupsPerBatch * groupSize;
  return { workers: config.workers, iterations, episodesPerSecond: episodes / secondsBetween(ends) };
}

function secondsBetween(ends: readonly number[]): number {
  return ((ends.at(-1) ?? 0) - (ends[0] ?? 0)) / 1000;
}

function table(results: readonly Throughput[]): string {
  const first = results[0]?.episodesPerSecond ?? 1;
  const rows = results.map(({ workers, episodesPerSecond }) =>
    [String(workers), episodesPerSecond.toFixed(0), `${(episodesPerSecond / first).toFixed(2)}×`].map((cell) =>
      cell.padStart(12),
    ),
  );
  const heading = ["workers", "episodes/s", "speed-up"].map((cell) => cell.padStart(12));
  return `${[heading, ...rows].map((row) => row.join("")).join("\n")}\n`;
}
