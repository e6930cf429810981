import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { EnvironmentDefinition } from "../core/env.ts";
import { InputError, messageOf } from "../core/errors.ts";
import { firstOf } from "../core/first-of.ts";
import { agentChoice, chooseAgent } from "./agent.ts";
import { applySets, setAt } from "./apply-sets.ts";
import type { Chosen } from "./chosen-module.ts";
import { type ConfigInput, configSchema, type ResolvedConfig } from "./config-schema.ts";
import { conflictsOf } from "./conflicts.ts";
import { envChoice } from "./env-choice.ts";
import { chooseEnvironment } from "./environment.ts";
import { withAbsolutePaths, withShippedPolicy } from "./paths.ts";
import { parseWith } from "./problems.ts";
import { readSource } from "./read-source.ts";

/** Trains the SQL agent; what every command takes where no config is named. */
export const defaultConfigFile = fileURLToPath(new URL("../../envs/sql/default.yaml", import.meta.url));

export interface LoadedConfig {
  readonly config: ResolvedConfig;
  readonly environment: Chosen<EnvironmentDefinition>;
}

export interface LoadOptions {
  /** YAML or JSON; the shipped default where it is absent. */
  readonly file?: string | undefined;
  /** `path=value` settings, applied in order over the file. */
  readonly sets?: readonly string[];
  /** Values by dotted path, applied last. */
  readonly overrides?: Readonly<Record<string, unknown>>;
}

/**
 * Reads a config, applies settings and fills in defaults.
 * @throws {InputError} with everything that is wrong at once, each with its path.
 */
export async function loadConfig({ file, sets = [], overrides = {} }: LoadOptions = {}): Promise<LoadedConfig> {
  const path = resolve(file ?? defaultConfigFile);
  const written = (await readSource(path)) ?? {};
  checkObject(written, path);
  const problems = [...applySets(written, sets, process.cwd()), ...applyOverrides(written, overrides)];
  return resolveConfig(written, { baseDir: dirname(path), name: path, problems });
}

/**
 * Checks a config and fills in its defaults. Relative paths start from `baseDir`, unless the config has its own.
 * @throws {InputError} with `problems` and everything that is wrong besides.
 */
export async function resolveConfig(
  input: ConfigInput | Readonly<Record<string, unknown>>,
  options: { readonly baseDir?: string; readonly name?: string; readonly problems?: readonly string[] } = {},
): Promise<LoadedConfig> {
  const { baseDir: folder = process.cwd(), name = "config", problems: earlier = [] } = options;
  checkObject(input, name);
  const parsed = parseWith(configSchema, input);
  const baseDir = resolve(folder, typeof input.baseDir === "string" ? input.baseDir : ".");
  const env = envChoice.safeParse(input.env);
  const environment = env.success ? await chooseEnvironment(env.data, baseDir).catch(inputError) : undefined;
  const named = agentChoice.safeParse(input.agent);
  const agent = named.success ? await chooseAgent(named.data, baseDir).catch(inputError) : undefined;
  const problems = [
    ...earlier,
    ...parsed.problems,
    ...("value" in parsed ? conflictsOf(parsed.value) : []),
    ...[environment, agent].flatMap((chosen) => (chosen instanceof InputError ? chosen.message.split("\n") : [])),
  ];
  const isChosen = !(environment instanceof InputError) && !(agent instanceof InputError);
  if (problems.length > 0 || !("value" in parsed) || environment === undefined || !isChosen) {
    throw new InputError(invalid(name, problems));
  }
  const model = withShippedPolicy(parsed.value.model, environment.choice.type);
  const chosen = { env: environment.choice, ...(agent === undefined ? {} : { agent: agent.choice }) };
  const config = withAbsolutePaths({ ...parsed.value, model, ...chosen, baseDir });
  return { config, environment };
}

function applyOverrides(config: Record<string, unknown>, overrides: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(overrides).flatMap(([path, value]) => {
    try {
      setAt(config, path, value);
      return [];
    } catch (error) {
      return [messageOf(error)];
    }
  });
}

function inputError(error: unknown): InputError {
  if (error instanceof InputError) return error;
  throw error;
}

function invalid(name: string, problems: readonly string[]): string {
  return problems.length === 1
    ? `${name}: ${problems[0]}`
    : `${name} has ${problems.length} mistakes:\n${firstOf(problems.map((problem) => `  ${problem}`)).join("\n")}`;
}

function checkObject(value: unknown, name: string): asserts value is Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  throw new InputError(`${name}: a config must be an object with keys such as env and train`);
}
