import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { InputError, messageOf } from "../core/errors.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import type { RunSource } from "./run-source.ts";

/**
 * What turns a run's tokens into text: the tokenizer that was named, or that of any of its checkpoints, or that of the base policy in its
 * config; `null` where none of them is there any more.
 * @throws {InputError} where one was named and is none.
 */
export function runTokenizer({ run, directory }: RunSource, named: string | undefined): Tokenizer | null {
  const places = named === undefined ? placesOf(run.config, directory) : [resolve(named)];
  const file = places.map(fileOf).find((place) => existsSync(place));
  if (file !== undefined) return readTokenizer(file);
  if (named === undefined) return null;
  throw new InputError(`--tokenizer must name a tokenizer.json or the folder of one, got ${named}: there is none`);
}

function placesOf(config: unknown, directory: string | null): readonly string[] {
  const { checkpoint } = (config as { readonly model?: { readonly checkpoint?: unknown } } | null)?.model ?? {};
  const folder = directory === null ? null : join(directory, "checkpoints");
  const own = folder === null || !existsSync(folder) ? [] : readdirSync(folder).map((name) => join(folder, name));
  return [...own.filter((place) => existsSync(fileOf(place))), ...(typeof checkpoint === "string" ? [checkpoint] : [])];
}

function fileOf(place: string): string {
  return statSync(place, { throwIfNoEntry: false })?.isDirectory() ? join(place, "tokenizer.json") : place;
}

function readTokenizer(file: string): Tokenizer {
  try {
    return Tokenizer.fromJSON(JSON.parse(readFileSync(file, "utf8")), file);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`cannot read the tokenizer ${file}: ${messageOf(error)}`, { cause: error });
  }
}
