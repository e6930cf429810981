import type { Command, CommandResult, Invocation } from "./command.ts";
import { configHelp, configOf, configOptions } from "./config-options.ts";
import { outliveTerminal } from "./process-terminal.ts";
import { watchProgress } from "./progress.ts";

export const pretrain: Command = {
  usage: ["pretrain [config] [--set path=value]... [--seed N] [--out DIR]"],
  description: `${configHelp}

The checkpoint can then be named as model.checkpoint.`,
  positionals: { min: 0, max: 1, names: ["[config]"] },
  options: {
    ...configOptions,
    out: { value: "DIR", summary: "Folder for the checkpoint", default: "base-policy" },
  },
  examples: ["faraday pretrain", "faraday pretrain my.yaml --out my-policy"],
  run: runPretrain,
};

async function runPretrain(invocation: Invocation): Promise<CommandResult> {
  using _terminal = outliveTerminal();
  const { config } = await configOf(invocation, invocation.positionals[0]);
  const out = invocation.value("out");
  const { pretrain: start } = await import("../run/pretrain.ts");
  using progress = watchProgress(invocation.terminal.stderr);
  const report = await start({
    config,
    ...(out === undefined ? {} : { out }),
    signal: invocation.signal,
    events: progress.show,
  });
  return { json: report, text: `Checkpoint ${report.checkpoint}\n` };
}
