import { type LoadedConfig, loadConfig } from "../config/load-config.ts";
import type { Invocation, OptionSpec } from "./command.ts";

/** Options of every command that reads a config. */
export const configOptions = {
  set: { value: "path=value", multiple: true, summary: "Put a value into the config, e.g. train.iterations=5" },
  workers: { value: "N", summary: "Worker threads: auto or 1..256", default: "auto" },
  seed: { value: "N", summary: "Same seed, same result", default: "1" },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** What the help of such a command says of its config. */
export const configHelp = `[config] is a YAML or JSON file, the shipped SQL agent's where it is absent. Relative paths in it start from its own
folder; in --set, a value that begins with ./ or ../ starts from the current folder.`;

/** The config file that is named, with the options of the command line over it, and `overrides` over those. */
export function configOf(
  invocation: Invocation,
  file: string | undefined,
  overrides: Readonly<Record<string, unknown>> = {},
): Promise<LoadedConfig> {
  return loadConfig({ file, sets: setsOf(invocation), overrides });
}

/** The settings of the command line. */
export function setsOf(invocation: Invocation): readonly string[] {
  const { workers, seed } = { workers: invocation.value("workers"), seed: invocation.value("seed") };
  return [
    ...invocation.values("set"),
    ...(workers === undefined ? [] : [`workers=${workers}`]),
    ...(seed === undefined ? [] : [`train.seed=${seed}`]),
  ];
}
