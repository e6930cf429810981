import { availableParallelism, loadavg } from "node:os";
import { basename, resolve } from "node:path";
import { loadConfig } from "../config/load-config.ts";
import { findWorkload, workloads } from "../config/workloads.ts";
import { InputError } from "../core/errors.ts";
import { renderBench } from "../report/bench-table.ts";
import { describeMachine } from "../report/machine.ts";
import type { BenchWorkload } from "../run/bench/measure.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";
import { configOf, configOptions, setsOf } from "./config-options.ts";
import { choiceOption, integerOption, parseInteger } from "./option-values.ts";
import { mustBeWritable, writeWhole } from "./write-whole.ts";

const { workers: _, ...otherOptions } = configOptions;
/** All numbers of workers together, since their pools are open side by side. */
const threadsMax = 256;

export const bench: Command = {
  usage: ["bench [config | --workload NAME] [--workers 1,2] [--seconds N] [--governed both] [--html FILE]"],
  description: `${workloads.map(({ name, summary }) => `  ${name.padEnd(13)} ${summary}`).join("\n")}

A workload is one of these, or the config that is named; without either, sql. Every number of workers rolls out the same training batches in
turns, each batch merged, signed and stored in a store of its own while the next is under way, as training does, without learning from
them. Starting the workers and a first batch are not counted, and a batch that has begun is finished. sql-scripted is measured against the same
episodes in one thread without pool and store, echo against as many bare piscina tasks.

Efficiency is the rate over that of 1 worker times the workers. After its turns each row is run once more with clocks and once under a
profiler, for latencies and for where the time goes. Limits for more cores are Amdahl's law fitted to the rows: a projection.

The load is the machine's own, of the minute before: where other work keeps the cores busy, efficiency says nothing. Ctrl-C ends after the
batch in hand, without a result.`,
  positionals: { min: 0, max: 1, names: ["[config]"] },
  options: {
    workload: {
      value: "NAME",
      multiple: true,
      summary: "What to measure; several with commas or repeated",
      default: "sql",
    },
    ...otherOptions,
    workers: { value: "N,N", summary: "Numbers of workers to measure", default: "1 and the number of cores" },
    seconds: { value: "N", summary: "Time for each row, 1..3600", default: "10" },
    governed: { value: "WHICH", summary: "Under the kernel: true, false or both", default: "true; for echo false" },
    store: {
      value: "WHICH",
      summary: "sqlite, in a folder that is gone afterwards, or none",
      default: "sqlite; for echo none",
    },
    html: { value: "FILE", summary: "Write the result as a page, complete in itself" },
  },
  examples: [
    "faraday bench",
    "faraday bench --workload sql-scripted,echo --governed both --html bench.html",
    "faraday bench my.yaml --workers 1,2,4 --seconds 20 --json",
  ],
  run: runBench,
};

async function runBench(invocation: Invocation): Promise<CommandResult> {
  const seconds = integerOption(invocation, "seconds", { min: 1, max: 3600 }) ?? 10;
  const workerCounts = workerCountsOf(invocation.value("workers"));
  const governed = choiceOption(invocation, "governed", ["true", "false", "both"]);
  const store = choiceOption(invocation, "store", ["sqlite", "none"]);
  const chosen = await workloadsOf(invocation, {
    ...(store === undefined ? {} : { stored: store === "sqlite" }),
    ...(governed === undefined ? {} : { governed: governedChoices[governed] }),
  });
  for (const workload of chosen) checkIsolation(workload);
  const page = invocation.value("html");
  // Before anything is measured, so that nothing is measured in vain.
  if (page !== undefined) mustBeWritable(resolve(page));
  const { measureBench, roundCount } = await import("../run/bench/measure.ts");
  const { packageVersions } = await import("../run/package-versions.ts");
  const { terminal, signal } = invocation;
  const tell = (text: string) => terminal.stderr.write(`${text}\n`);
  const load = loadavg()[0] ?? 0;
  const measured = await measureBench({ workloads: chosen, workerCounts, seconds, signal, tell });
  const report = {
    ...{ machine: describeMachine(), load, versions: packageVersions(), seconds, rounds: roundCount },
    ...measured,
  };
  if (page !== undefined) {
    const { renderBenchHtml } = await import("../report/bench-html.ts");
    writeWhole(resolve(page), renderBenchHtml(report));
  }
  return { json: report, text: `${renderBench(report)}${page === undefined ? "" : `\nPage: ${resolve(page)}\n`}` };
}

const governedChoices = { true: [true], false: [false], both: [true, false] } as const;

/** @param said What the command line says of all of them. */
async function workloadsOf(
  invocation: Invocation,
  said: Partial<Pick<BenchWorkload, "stored" | "governed">>,
): Promise<readonly BenchWorkload[]> {
  const names = [...new Set(invocation.values("workload").flatMap((text) => text.split(",")))];
  const [file] = invocation.positionals;
  if (file !== undefined) {
    if (names.length > 0) throw new InputError("what to measure is a config or --workload, not both");
    const { config } = await configOf(withoutWorkers(invocation), file);
    return [{ name: basename(file).replace(/\.[^.]+$/, ""), config, stored: true, governed: [true], ...said }];
  }
  const found = (names.length === 0 ? ["sql"] : names).map(findWorkload);
  return Promise.all(
    found.map(async ({ name, against, stored, governed, file: shipped, sets }) => {
      const { config } = await loadConfig({ file: shipped, sets: [...sets, ...setsOf(withoutWorkers(invocation))] });
      return { name, config, stored, governed: [governed], ...said, ...(against === undefined ? {} : { against }) };
    }),
  );
}

/** Clocks and profilers are those of threads: of processes, they would tell the main one's alone. */
function checkIsolation({ name, config }: BenchWorkload): void {
  if (config.isolation === "thread") return;
  throw new InputError(
    `faraday bench measures threads: isolation must be thread, got ${config.isolation} in ${name}; --set isolation=thread measures it so`,
  );
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
