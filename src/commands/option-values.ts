import { InputError } from "../core/errors.ts";
import type { Invocation } from "./command.ts";

/**
 * An option that is a whole number, or `undefined` where it was not given.
 * @throws {InputError} where it is not one, or out of bounds.
 */
export function integerOption(
  { value }: Pick<Invocation, "value">,
  name: string,
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined {
  const text = value(name);
  return text === undefined ? undefined : parseInteger(text, { what: `--${name}`, min, max });
}

/** @throws {InputError} where the text is no whole number within the bounds. */
export function parseInteger(text: string, { what, min, max }: { what: string; min: number; max: number }): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= min && number <= max) return number;
  throw new InputError(`${what} must be ${min}..${max}, got ${JSON.stringify(text)}`);
}

/** @throws {InputError} where the option is given and none of the choices. */
export function choiceOption<T extends string>(
  { value }: Pick<Invocation, "value">,
  name: string,
  choices: readonly T[],
): T | undefined {
  const text = value(name);
  if (text === undefined) return undefined;
  const choice = choices.find((candidate) => candidate === text);
  if (choice !== undefined) return choice;
  throw new InputError(`--${name} must be one of ${choices.join(", ")}, got ${JSON.stringify(text)}`);
}
