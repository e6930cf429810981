import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { InputError, messageOf } from "../core/errors.ts";
import { got } from "./expectation.ts";
import { parseWith } from "./problems.ts";
import { suggest } from "./suggest.ts";

/** How a config names something that code defines: by `type`, a shipped one, or by `module`, a file; the other keys are its options. */
export function moduleChoice(what: string) {
  return z
    .looseObject({
      type: z.string().min(1).optional().describe(`A shipped ${what}`),
      module: z.string().min(1).optional().describe(`File of your own ${what} module, instead of type`),
    })
    .refine(({ type, module }) => (type === undefined) !== (module === undefined), {
      message: `must have either type (a shipped ${what}) or module (a file of yours)`,
    });
}

/** What every definition has, whatever it defines. */
interface Definition {
  readonly name: string;
  readonly options: z.ZodType;
  readonly load: (...given: never) => unknown;
}

type Choice = z.output<ReturnType<typeof moduleChoice>>;

export interface Chosen<Of extends Definition> {
  readonly definition: Of;
  /** What `definition.load` takes, checked. */
  readonly options: unknown;
  /** The choice with the defaults filled in; choosing by it again gives the same. */
  readonly choice: Choice;
}

/** One key of the config that chooses so. */
export interface ChoiceKey<Of extends Definition> {
  readonly key: "env" | "agent";
  /** What makes a definition, for messages: `defineEnv`. */
  readonly maker: string;
  readonly shipped: () => Promise<Readonly<Record<string, () => Promise<Of>>>>;
}

/**
 * Finds what a choice names, in any thread, and checks its options.
 * @throws {InputError} with every problem, each with its path.
 */
export async function chooseModule<Of extends Definition>(
  kind: ChoiceKey<Of>,
  choice: Choice,
  baseDir: string,
): Promise<Chosen<Of>> {
  const { type, module, ...rest } = choice;
  const definition =
    module === undefined ? await findShipped(kind, type ?? "") : await load(kind, resolve(baseDir, module));
  const parsed = parseWith(definition.options, rest, [kind.key]);
  if (!("value" in parsed)) throw new InputError(parsed.problems.join("\n"));
  const name = module === undefined ? { type } : { module: resolve(baseDir, module) };
  return { definition, options: parsed.value, choice: { ...name, ...lastingForm(definition, rest, parsed.value) } };
}

/** The parsed options where parsing them again changes nothing, else the options as they were written. */
function lastingForm(definition: Definition, written: object, parsed: unknown): object {
  if (typeof parsed !== "object" || parsed === null) return written;
  const again = definition.options.safeParse(parsed);
  return again.success && isDeepStrictEqual(again.data, parsed) ? parsed : written;
}

async function findShipped<Of extends Definition>({ key, shipped }: ChoiceKey<Of>, type: string): Promise<Of> {
  const all = await shipped();
  const names = Object.keys(all);
  const find = Object.hasOwn(all, type) ? all[type] : undefined;
  if (find !== undefined) return find();
  const near = suggest(type, names);
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  throw new InputError(
    `${key}.type must be one of ${names.map((name) => got(name)).join(", ")}, got ${got(type)}${hint}`,
  );
}

async function load<Of extends Definition>({ key, maker }: ChoiceKey<Of>, file: string): Promise<Of> {
  if (!existsSync(file)) throw new InputError(`${key}.module must be a file, got ${got(file)}, which does not exist`);
  const { default: definition } = await importModule(key, file);
  if (isDefinition(definition)) return definition as Of;
  throw new InputError(
    `${key}.module must export by default what ${maker}({ name, options, load }) returns, got ${file}`,
  );
}

async function importModule(key: string, file: string): Promise<{ readonly default?: unknown }> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    const hint = /import statement outside a module|Unexpected token 'export'/.test(messageOf(error))
      ? '; it is an ES module: name it .mts, or say "type": "module" in its package.json'
      : "";
    throw new InputError(`${key}.module ${file} could not be loaded: ${messageOf(error)}${hint}`, { cause: error });
  }
}

function isDefinition(value: unknown): value is Definition {
  if (typeof value !== "object" || value === null) return false;
  const { name, options, load } = value as Partial<Definition>;
  return typeof name === "string" && typeof options?.safeParse === "function" && typeof load === "function";
}
