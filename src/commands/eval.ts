import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { LoadedConfig } from "../config/load-config.ts";
import { splits } from "../core/env.ts";
import { InputError } from "../core/errors.ts";
import type { Measure } from "../report/measure.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";
import { configOf, configOptions } from "./config-options.ts";
import { choiceOption, integerOption } from "./option-values.ts";
import { watchProgress } from "./progress.ts";
import { lastCheckpoint } from "./run-directory.ts";

export const evaluate: Command = {
  summary: "Measure a trained policy, or any checkpoint, on a split of the tasks",
  usage: ["eval <run | checkpoint> [--config C] [--split test] [--episodes N] [--no-kernel]"],
  description: `A run is a run directory: its last checkpoint is measured under its own config. A checkpoint is a folder with
model.safetensors; it is measured under --config, or the shipped SQL agent's.`,
  positionals: { min: 1, max: 1, names: ["<run | checkpoint>"] },
  options: {
    config: { value: "FILE", summary: "Config to measure under", default: "the run's, or the shipped one" },
    split: { value: "SPLIT", summary: `Tasks to measure on: ${splits.join(", ")}`, default: "test" },
    episodes: { value: "N", summary: "How many episodes", default: "train.evalEpisodes of the config" },
    "no-kernel": { summary: "Let the agent act without the kernel; the oracle alone watches" },
    ...configOptions,
  },
  examples: ["faraday eval runs/second", "faraday eval envs/sql/base-policy --no-kernel --episodes 200 --json"],
  run: runEvaluate,
};

async function runEvaluate(invocation: Invocation): Promise<CommandResult> {
  const split = choiceOption(invocation, "split", splits) ?? "test";
  const episodes = integerOption(invocation, "episodes", { min: 1, max: 1_000_000 });
  const kernel = !invocation.flag("no-kernel");
  const { config } = await configWithCheckpoint(invocation, resolve(invocation.positionals[0] ?? ""));
  const { evaluate: start } = await import("../run/evaluate.ts");
  using progress = watchProgress(invocation.terminal.stderr);
  const measure = await start({
    config,
    split,
    kernel,
    ...(episodes === undefined ? {} : { episodes }),
    events: progress.show,
  });
  return { json: { split, kernel, ...measure }, text: sentence(measure) };
}

/** The config that is named, or the run's own, with the weights that are measured as its checkpoint. */
function configWithCheckpoint(invocation: Invocation, place: string): Promise<LoadedConfig> {
  const isCheckpoint = existsSync(join(place, "model.safetensors"));
  const runConfig = join(place, "config.json");
  if (!isCheckpoint && !existsSync(runConfig)) {
    throw new InputError(`eval needs a run directory or a checkpoint folder, got ${place}`);
  }
  const file = invocation.value("config") ?? (isCheckpoint ? undefined : runConfig);
  return configOf(invocation, file, { "model.checkpoint": isCheckpoint ? place : lastCheckpoint(place) });
}

function sentence({ taskAccuracy, violationRate, undetectedRate, episodes }: Measure): string {
  const percent = (rate: number) => `${(100 * rate).toFixed(1)} %`;
  return `${percent(taskAccuracy)} of ${episodes} episodes did their task, ${percent(violationRate)} attempted a violation, ${percent(undetectedRate)} undetected.\n`;
}
