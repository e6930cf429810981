import { availableParallelism, loadavg } from "node:os";
import { InputError } from "../core/errors.ts";
import { describeMachine } from "../report/machine.ts";
import type { Machine } from "../report/run-report.ts";
import type { Throughput } from "../run/throughput.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";
import { configHelp, configOf, configOptions } from "./config-options.ts";
import { integerOption, parseInteger } from "./option-values.ts";

const { workers: _, ...otherOptions } = configOptions;
/** All numbers of workers together, since their pools are open side by side. */
const threadsMax = 256;

export const bench: Command = {
  summary: "Measure how fast training batches are rolled out, by number of workers",
  usage: ["bench [config] [--workers 1,2] [--seconds N]"],
  description: `${configHelp}

Every number of workers rolls out the same training batches under the kernel, in turns, without learning from them.
Starting the workers and a first batch are not counted; a batch that has begun is finished. Efficiency is the rate over
that of 1 worker times the workers, where 1 worker is among them. Ctrl-C ends after the batch in hand, without a result.

The load is the machine's own, of the minute before: where other work keeps the cores busy, efficiency says nothing.`,
  positionals: { min: 0, max: 1, names: ["[config]"] },
  options: {
    ...otherOptions,
    workers: { value: "N,N", summary: "Numbers of workers to measure", default: "1 and the number of cores" },
    seconds: { value: "N", summary: "Time for each number of workers, 1..3600", default: "10" },
  },
  examples: ["faraday bench", "faraday bench --workers 1,2,4 --seconds 20 --json"],
  run: runBench,
};

async function runBench(invocation: Invocation): Promise<CommandResult> {
  const seconds = integerOption(invocation, "seconds", { min: 1, max: 3600 }) ?? 10;
  const workerCounts = workerCountsOf(invocation.value("workers"));
  const { config } = await configOf(withoutWorkers(invocation), invocation.positionals[0]);
  const { measureThroughput, roundCount } = await import("../run/throughput.ts");
  const { packageVersions } = await import("../run/package-versions.ts");
  const { terminal, signal } = invocation;
  const tell = (text: string) => terminal.stderr.write(`${text}\n`);
  const load = loadavg()[0] ?? 0;
  const rows = await measureThroughput({ config, workerCounts, seconds, signal, tell });
  const machine = describeMachine();
  const versions = packageVersions();
  return {
    json: { machine, load, versions, seconds, rounds: roundCount, rows },
    text: `${machineLine(machine)}, load ${load.toFixed(2)} before\n${versionsLine(versions)}\n\n${table(rows)}`,
  };
}

function workerCountsOf(text: string | undefined): readonly number[] {
  const given = text
    ?.split(",")
    .map((part) => parseInteger(part, { what: "each of --workers", min: 1, max: threadsMax }));
  const counts = [...new Set(given ?? [1, availableParallelism()])];
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total <= threadsMax) return counts;
  throw new InputError(`--workers must add up to at most ${threadsMax}, since all are started at once, got ${total}`);
}

/** Here --workers is a list, which is no config value. */
function withoutWorkers(invocation: Invocation): Invocation {
  return { ...invocation, value: (name) => (name === "workers" ? undefined : invocation.value(name)) };
}

function machineLine({ cpu, cores, memoryBytes, platform, node }: Machine): string {
  return `${cpu}, ${cores} cores, ${(memoryBytes / 2 ** 30).toFixed(0)} GiB, ${platform}, Node ${node}`;
}

function versionsLine(versions: Readonly<Record<string, string>>): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
}

const header = ["workers", "episodes/s", "p25–p75", "syscalls/s", "tokens/s", "efficiency", "batches"];

function table(rows: readonly Throughput[]): string {
  const lines = rows.map(({ workers, stepsPerSecond, tokensPerSecond, efficiency, runs, spread }) => {
    const { p25, median, p75 } = spread.episodesPerSecond;
    return [
      ...[String(workers), median.toFixed(0), `${p25.toFixed(0)}–${p75.toFixed(0)}`, stepsPerSecond.toFixed(0)],
      ...[tokensPerSecond.toFixed(0), efficiency === null ? "–" : `${(efficiency * 100).toFixed(0)} %`, String(runs)],
    ];
  });
  const widths = header.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const row = (cells: readonly string[]) => cells.map((cell, column) => cell.padStart(widths[column] ?? 0)).join("  ");
  return `${[header, ...lines].map(row).join("\n")}\n`;
}
