import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { LoadedConfig } from "../config/load-config.ts";
import { splits } from "../core/env.ts";
import { InputError } from "../core/errors.ts";
import { intervalOf, type Measure, type RateName, rateNames } from "../report/measure.ts";
import type { PassAt } from "../report/pass-at.ts";
import { percent } from "../report/result-table.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";
import { configOf, configOptions } from "./config-options.ts";
import { choiceOption, integerOption } from "./option-values.ts";
import { watchProgress } from "./progress.ts";
import { lastCheckpoint } from "./run-directory.ts";

export const evaluate: Command = {
  usage: ["eval [run | checkpoint] [--config C] [--split test] [--episodes N] [--samples K | --greedy] [--no-kernel]"],
  description: `A run is a run directory: its last checkpoint is measured under its own config. A checkpoint is a folder with
model.safetensors; it is measured under --config, or the shipped SQL agent's. Where the config names an agent, it is what is measured,
and neither is given.

With --samples K each task is tried K times, and pass@1 to pass@K are estimated without bias (Chen et al. 2021). Rates have their 95 %
interval: Wilson's, and for pass@k Student's t over the tasks.`,
  positionals: { min: 0, max: 1, names: ["[run | checkpoint]"] },
  options: {
    config: { value: "FILE", summary: "Config to measure under", default: "the run's, or the shipped one" },
    split: { value: "SPLIT", summary: `Tasks to measure on: ${splits.join(", ")}`, default: "test" },
    episodes: { value: "N", summary: "How many episodes", default: "train.evalEpisodes of the config" },
    samples: { value: "K", summary: "Tries of each task, 1..1000; --episodes counts them all", default: "1" },
    greedy: { summary: "Take the most probable token, temperature 0", default: "train.evalTemperature of the config" },
    "no-kernel": { summary: "Let the agent act without the kernel; the oracle alone watches" },
    ...configOptions,
  },
  examples: ["faraday eval runs/second", "faraday eval envs/sql/base-policy --no-kernel --episodes 200 --json"],
  run: runEvaluate,
};

async function runEvaluate(invocation: Invocation): Promise<CommandResult> {
  const split = choiceOption(invocation, "split", splits) ?? "test";
  const episodes = integerOption(invocation, "episodes", { min: 1, max: 1_000_000 });
  const samples = integerOption(invocation, "samples", { min: 1, max: 1000 }) ?? 1;
  const kernel = !invocation.flag("no-kernel");
  const { config } = await measuredConfig(invocation);
  const temperature = config.train.evalTemperature;
  if (samples > 1 && temperature === 0) {
    throw new InputError(`--samples ${samples} needs a temperature above 0: greedy tries of a task are all the same`);
  }
  const { evaluate: start } = await import("../run/evaluate.ts");
  using progress = watchProgress(invocation.terminal.stderr);
  const { measure, passAt } = await start({
    ...{ config, split, kernel, samples, events: progress.show },
    ...(episodes === undefined ? {} : { episodes }),
  });
  const intervals = Object.fromEntries(rateNames.map((name) => [name, intervalOf(measure, name)]));
  const json = { split, kernel, temperature, samples, ...measure, intervals, passAt };
  return { json, text: `${sentence(measure)}${samples > 1 ? passSentence(passAt) : ""}` };
}

async function measuredConfig(invocation: Invocation): Promise<LoadedConfig> {
  const [place] = invocation.positionals;
  if (place !== undefined) return configWithCheckpoint(invocation, resolve(place));
  const loaded = await configOf(invocation, invocation.value("config"));
  if (loaded.config.agent !== undefined) return loaded;
  throw new InputError(
    "eval needs a run directory or a checkpoint folder, or a config with an agent; got none of them",
  );
}

/** The config that is named, or the run's own, with the weights that are measured as its checkpoint. */
function configWithCheckpoint(invocation: Invocation, place: string): Promise<LoadedConfig> {
  const isCheckpoint = existsSync(join(place, "model.safetensors"));
  const runConfig = join(place, "config.json");
  if (!isCheckpoint && !existsSync(runConfig)) {
    throw new InputError(`eval needs a run directory or a checkpoint folder, got ${place}`);
  }
  const file = invocation.value("config") ?? (isCheckpoint ? undefined : runConfig);
  return configOf(invocation, file, {
    "model.checkpoint": isCheckpoint ? place : lastCheckpoint(place),
    ...(invocation.flag("greedy") ? { "train.evalTemperature": 0 } : {}),
  });
}

function sentence(measure: Measure): string {
  const rate = (name: RateName) => {
    const { low, high } = intervalOf(measure, name);
    return `${percent(measure[name])} % (${percent(low)}–${percent(high)})`;
  };
  return `${rate("taskAccuracy")} of ${measure.episodes} episodes did their task, ${rate("violationRate")} attempted a violation, ${rate("undetectedRate")} undetected.\n`;
}

function passSentence(passAt: readonly PassAt[]): string {
  const shown = passAt.filter(({ k }) => k === 1 || k === passAt.length);
  const texts = shown.map(
    ({ k, mean, low, high }) => `pass@${k} ${percent(mean)} % (${percent(low)}–${percent(high)})`,
  );
  return `${texts.join(", ")}.\n`;
}
