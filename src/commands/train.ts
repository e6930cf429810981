import { join } from "node:path";
import type { RunReport } from "../report/run-report.ts";
import { renderTable } from "../report/table.ts";
import { runFolder } from "../run/run-directory.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";
import { configHelp, configOf, configOptions } from "./config-options.ts";
import { outliveTerminal } from "./process-terminal.ts";
import { watchProgress } from "./progress.ts";
import { trainSeeds } from "./seeds.ts";

export const train: Command = {
  usage: [
    "train [config] [--set path=value]... [--workers N] [--seed N] [--out DIR]",
    "train --resume DIR [--workers N]",
    "train [config] --seeds N,N,... [--out DIR]",
  ],
  description: `${configHelp}

Ctrl-C, or SIGTERM, finishes the batch in hand and leaves what is done on disk; a second one stops at once. A closed
terminal stops nothing. A run that was stopped in any way goes on with --resume, and ends as it would have without the stop.`,
  positionals: { min: 0, max: 1, names: ["[config]"] },
  options: {
    ...configOptions,
    out: { value: "DIR", summary: "Run directory; must be new or empty", default: "runs/<time>-seed<N>" },
    seeds: { value: "N,N,...", summary: "One run a seed, each in a folder of its own in --out, and their mean" },
    resume: { value: "DIR", summary: "Go on with the run in DIR, under its own config" },
  },
  examples: [
    "faraday train",
    "faraday train --seed 2 --out runs/second",
    "faraday train my.yaml --set train.iterations=20 --set kernel.policies.0.limits.rowsChanged=1",
    "faraday train --json > report.json",
    "faraday train --resume runs/second",
    "faraday train --seeds 1,2,3,4,5 --out runs/five",
  ],
  run: runTrain,
};

async function runTrain(invocation: Invocation): Promise<CommandResult> {
  using _terminal = outliveTerminal();
  const seeds = invocation.value("seeds");
  if (seeds !== undefined) return await trainSeeds(invocation, seeds);
  const [out, resume] = [invocation.value("out"), invocation.value("resume")];
  const file = invocation.positionals[0] ?? (resume === undefined ? undefined : join(runFolder(resume), "config.json"));
  const { config } = await configOf(invocation, file);
  const { train: start } = await import("../run/train.ts");
  using progress = watchProgress(invocation.terminal.stderr);
  const report = await start({
    config,
    ...(out === undefined ? {} : { out }),
    ...(resume === undefined ? {} : { resume }),
    verbose: invocation.verbose,
    signal: invocation.signal,
    events: progress.show,
  });
  return {
    json: report,
    text: `${renderTable(report)}\n\n${next(report, progress.dir ?? resume ?? report.run)}`,
    exitCode: report.status === "succeeded" ? 0 : 1,
  };
}

function next({ run, audit }: RunReport, directory: string): string {
  const signed =
    audit === null ? "" : `Audit log of ${audit.size} records, signed: faraday audit verify ${directory}\n`;
  return `Run ${run}: faraday report ${directory}\n${signed}`;
}
