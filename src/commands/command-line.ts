import { parseArgs } from "node:util";
import { suggest } from "../config/suggest.ts";
import { InputError } from "../core/errors.ts";
import type { Command, Invocation, OptionSpec } from "./command.ts";

/** Options of every command. */
export const commonOptions: Readonly<Record<string, OptionSpec>> = {
  json: { summary: "Print exactly one JSON document on stdout, everything else on stderr" },
  verbose: { summary: "Say more on stderr" },
  help: { summary: "Print this help" },
};

export type CommandLine = Pick<Invocation, "positionals" | "flag" | "value" | "values">;

/**
 * Understands the arguments of a command.
 * @throws {InputError} for an unknown option, a missing value, or too few or too many arguments.
 */
export function parseCommandLine(name: string, command: Command, args: readonly string[]): CommandLine {
  const specs = { ...command.options, ...commonOptions };
  const { values, positionals } = parseStrictly(name, specs, args);
  checkCount(name, command, positionals);
  const declared = (option: string) => {
    if (!Object.hasOwn(specs, option)) throw new Error(`${name} declares no option ${option}`);
    return values[option];
  };
  return {
    positionals,
    flag: (option) => declared(option) === true,
    value: (option) => declared(option)?.toString(),
    values: (option) => [declared(option) ?? []].flat().map(String),
  };
}

function parseStrictly(name: string, specs: Readonly<Record<string, OptionSpec>>, args: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(specs).map(([option, { value, multiple = false }]) => [
      option,
      { type: value === undefined ? ("boolean" as const) : ("string" as const), multiple },
    ]),
  );
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw usageError(name, Object.keys(specs), error);
  }
}

function usageError(name: string, options: readonly string[], error: unknown): unknown {
  if (!(error instanceof Error) || !String((error as NodeJS.ErrnoException).code).startsWith("ERR_PARSE_ARGS")) {
    return error;
  }
  const unknown = /^Unknown option '(?<option>-[^']*)'/.exec(error.message)?.groups?.option;
  const see = `see faraday ${name} --help`;
  if (unknown === undefined) return new InputError(`${firstSentence(error.message)}; ${see}`, { cause: error });
  const near = suggest(unknown.replace(/^-+/, ""), options);
  const hint = near === undefined ? see : `did you mean --${near}?`;
  return new InputError(`faraday ${name} has no option ${unknown}; ${hint}`, { cause: error });
}

function firstSentence(message: string): string {
  return (message.split("\n", 1)[0] ?? message).replace(/\.$/, "");
}

function checkCount(name: string, { positionals: { min, max, names } }: Command, given: readonly string[]): void {
  const extra = given[max];
  if (extra !== undefined) {
    const takes = max === 0 ? "no arguments" : `${names.join(" ")} alone`;
    throw new InputError(`faraday ${name} takes ${takes}, got ${JSON.stringify(extra)} besides`);
  }
  if (given.length < min) {
    throw new InputError(
      `faraday ${name} needs ${names.slice(given.length, min).join(" and ")}; see faraday ${name} --help`,
    );
  }
}
