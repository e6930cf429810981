import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import type { EnvironmentDefinition } from "../core/env.ts";
import { InputError, messageOf } from "../core/errors.ts";
import type { EnvChoice } from "./env-choice.ts";
import { got } from "./expectation.ts";
import { parseWith } from "./problems.ts";
import { suggest } from "./suggest.ts";

/** An environment that was chosen by a config, with its options checked. */
export interface ChosenEnvironment {
  readonly definition: EnvironmentDefinition;
  /** What `definition.load` takes. */
  readonly options: unknown;
  /** The config's `env` with the defaults filled in; choosing by it again gives the same. */
  readonly env: EnvChoice;
}

/**
 * Finds the environment that a config's `env` names, in any thread, and checks its options.
 * @throws {InputError} with every problem, each with its path.
 */
export async function chooseEnvironment(env: EnvChoice, baseDir: string): Promise<ChosenEnvironment> {
  const { type, module, ...rest } = env;
  const definition = module === undefined ? await shipped(type ?? "") : await load(resolve(baseDir, module));
  const parsed = parseWith(definition.options, rest, ["env"]);
  if (!("value" in parsed)) throw new InputError(parsed.problems.join("\n"));
  const name = module === undefined ? { type } : { module: resolve(baseDir, module) };
  return { definition, options: parsed.value, env: { ...name, ...lastingForm(definition, rest, parsed.value) } };
}

/** The parsed options where parsing them again changes nothing, else the options as they were written. */
function lastingForm(definition: EnvironmentDefinition, written: object, parsed: unknown): object {
  if (typeof parsed !== "object" || parsed === null) return written;
  const again = definition.options.safeParse(parsed);
  return again.success && isDeepStrictEqual(again.data, parsed) ? parsed : written;
}

async function shipped(type: string): Promise<EnvironmentDefinition> {
  const { environments } = await import("../../envs/index.ts");
  const names = Object.keys(environments);
  const find = Object.hasOwn(environments, type) ? environments[type] : undefined;
  if (find !== undefined) return find();
  const near = suggest(type, names);
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  throw new InputError(`env.type must be one of ${names.map((name) => got(name)).join(", ")}, got ${got(type)}${hint}`);
}

async function load(file: string): Promise<EnvironmentDefinition> {
  if (!existsSync(file)) throw new InputError(`env.module must be a file, got ${got(file)}, which does not exist`);
  const module = await importModule(file);
  const definition: unknown = module.default;
  if (isDefinition(definition)) return definition;
  throw new InputError(
    `env.module must export by default what defineEnv({ name, options, load }) returns, got ${file}`,
  );
}

async function importModule(file: string): Promise<{ readonly default?: unknown }> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    const hint = /import statement outside a module|Unexpected token 'export'/.test(messageOf(error))
      ? '; it is an ES module: name it .mts, or say "type": "module" in its package.json'
      : "";
    throw new InputError(`env.module ${file} could not be loaded: ${messageOf(error)}${hint}`, { cause: error });
  }
}

function isDefinition(value: unknown): value is EnvironmentDefinition {
  if (typeof value !== "object" || value === null) return false;
  const { name, options, load } = value as Partial<EnvironmentDefinition>;
  return typeof name === "string" && typeof options?.safeParse === "function" && typeof load === "function";
}
