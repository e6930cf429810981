import { armResultOf, renderAblation, target } from "../report/ablation.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";
import { configHelp, configOf, configOptions } from "./config-options.ts";
import { integerOption } from "./option-values.ts";
import { outliveTerminal } from "./process-terminal.ts";
import { watchProgress } from "./progress.ts";
import { defaultStudyFolder, seedsOf, stopped } from "./seeds.ts";

const { seed: _, ...otherOptions } = configOptions;
const defaultSeeds = "1,2,3,4,5";
/** Iterations between evaluations, where the config makes none: without them, nobody sees when the target is reached. */
const defaultEvalEvery = 5;

export const ablate: Command = {
  usage: ["ablate [config] [--seeds 1,2,3,4,5] [--iterations N] [--set path=value]... [--out DIR]"],
  description: `${configHelp}

Each of three arms is trained with each seed, one run after the other: none, without the kernel, in training and in its measurements;
scalar, which learns from the one PolicyReward; separate, which learns from reward and cost apart, the default. With the shipped
defaults a run takes about a minute on 2 cores. Each is evaluated every 5 iterations, or as train.evalEvery of the config says.

The same command with the same --out takes the runs that are there, and goes on with one that was stopped.`,
  positionals: { min: 0, max: 1, names: ["[config]"] },
  options: {
    ...otherOptions,
    seeds: { value: "N,N,...", summary: "Seeds of each arm", default: defaultSeeds },
    iterations: { value: "N", summary: "Updates of each run", default: "train.iterations of the config" },
    out: { value: "DIR", summary: "Folder of the runs", default: "runs/<time>-ablation" },
  },
  examples: ["faraday ablate --out runs/ablation", "faraday ablate --seeds 1,2 --iterations 10 --json"],
  run: runAblation,
};

async function runAblation(invocation: Invocation): Promise<CommandResult> {
  using _terminal = outliveTerminal();
  const seeds = seedsOf(invocation.value("seeds") ?? defaultSeeds);
  const iterations = integerOption(invocation, "iterations", { min: 1, max: 100_000 });
  const out = invocation.value("out") ?? defaultStudyFolder("ablation");
  const { armNames, armRuns } = await import("../run/ablation.ts");
  const { runStudy } = await import("../run/study.ts");
  const [file] = invocation.positionals;
  const withoutSeed = {
    ...invocation,
    value: (name: string) => (name === "seed" ? undefined : invocation.value(name)),
  };
  const { evalEvery } = (await configOf(withoutSeed, file)).config.train;
  const shared = {
    "train.evalEvery": evalEvery === 0 ? defaultEvalEvery : evalEvery,
    ...(iterations === undefined ? {} : { "train.iterations": iterations }),
  };
  const runs = await armRuns(
    seeds,
    async (values) => (await configOf(withoutSeed, file, { ...shared, ...values })).config,
  );
  const { terminal, signal, verbose } = invocation;
  using progress = watchProgress(terminal.stderr);
  const tell = (line: string) => terminal.stderr.write(`${line}\n`);
  const finished = await runStudy({ runs, out, signal, verbose, events: progress.show, tell });
  const reports = (arm: string) =>
    runs.flatMap(({ arm: own, name }) =>
      own === arm ? (finished.find((run) => run.name === name)?.report ?? []) : [],
    );
  const results = armNames.map((arm) => armResultOf(arm, reports(arm)));
  const whole = finished.length === runs.length;
  const status = whole ? "succeeded" : "cancelled";
  const done = finished.map(({ name, directory }) => ({ name, directory }));
  return {
    json: { out, status, seeds, iterations: runs[0]?.config.train.iterations, target, arms: results, runs: done },
    text: `${renderAblation(results)}\n\n${whole ? "" : stopped(out)}Runs: ${out}\n`,
    exitCode: whole ? 0 : 1,
  };
}
