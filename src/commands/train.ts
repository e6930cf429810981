import type { RunReport } from "../report/run-report.ts";
import { renderTable } from "../report/table.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";
import { configHelp, configOf, configOptions } from "./config-options.ts";
import { watchProgress } from "./progress.ts";

export const train: Command = {
  summary: "Train an agent inside the kernel and measure it before and after",
  usage: ["train [config] [--set path=value]... [--workers N] [--seed N] [--out DIR]"],
  description: `${configHelp}

Ctrl-C finishes the batch in hand and leaves what is done on disk; a second one stops at once.`,
  positionals: { min: 0, max: 1, names: ["[config]"] },
  options: {
    ...configOptions,
    out: { value: "DIR", summary: "Run directory; must be new or empty", default: "runs/<time>-seed<N>" },
  },
  examples: [
    "faraday train",
    "faraday train --seed 2 --out runs/second",
    "faraday train my.yaml --set train.iterations=20 --set kernel.policies.0.limits.rowsChanged=1",
    "faraday train --json > report.json",
  ],
  run: runTrain,
};

async function runTrain(invocation: Invocation): Promise<CommandResult> {
  const { config } = await configOf(invocation, invocation.positionals[0]);
  const out = invocation.value("out");
  const { train: start } = await import("../run/train.ts");
  using progress = watchProgress(invocation.terminal.stderr);
  const report = await start({
    config,
    ...(out === undefined ? {} : { out }),
    verbose: invocation.verbose,
    signal: invocation.signal,
    events: progress.show,
  });
  return {
    json: report,
    text: `${renderTable(report)}\n\n${next(report, progress.dir ?? report.run)}`,
    exitCode: report.status === "succeeded" ? 0 : 1,
  };
}

function next({ run, audit }: RunReport, directory: string): string {
  const signed =
    audit === null ? "" : `Audit log of ${audit.size} records, signed: faraday audit verify ${directory}\n`;
  return `Run ${run}: faraday report ${directory}\n${signed}`;
}
