import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { type Document, LineCounter, parseDocument } from "yaml";
import { InputError, messageOf } from "../core/errors.ts";
import { firstOf } from "../core/first-of.ts";

/**
 * What a config file says: YAML, or JSON where it is named so.
 * @throws {InputError} where it cannot be read, or with line and column where it cannot be understood.
 */
export async function readSource(file: string): Promise<unknown> {
  const text = await readText(file);
  return extname(file) === ".json" ? parseJson(text, file) : parseYaml(text, file);
}

/**
 * A value on the command line: a YAML scalar, list or object.
 * @throws {Error} where it is none.
 */
export function parseValue(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: false });
  const [error] = mistakesOf(document);
  if (error !== undefined) throw new Error(error.message);
  return document.toJS();
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const reason = missing ? "it does not exist" : messageOf(error);
    throw new InputError(`config must be a readable YAML or JSON file, got ${file}: ${reason}`, { cause: error });
  }
}

function parseYaml(text: string, file: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const mistakes = mistakesOf(document);
  if (mistakes.length === 0) return expand(document, file);
  const places = mistakes.map((mistake) => {
    const { line, col } = lines.linePos(mistake.pos[0]);
    return `${file}:${line}:${col}: ${mistake.message.slice(0, mistakeLengthMax)}`;
  });
  throw new InputError(firstOf(places).join("\n"));
}

/** They may quote the file. */
const mistakeLengthMax = 300;

interface Mistake {
  readonly message: string;
  readonly pos: readonly [number, number];
}

/** What is nested too deeply for the parser is one mistake; those that follow from it are left out. */
function mistakesOf({ errors, warnings }: Document): readonly Mistake[] {
  const deep = errors.find(({ code }) => code === "RESOURCE_EXHAUSTION");
  return deep === undefined ? [...errors, ...warnings] : [{ message: "it is nested too deeply", pos: deep.pos }];
}

/** Aliases are resolved here: one may name nothing, or too much. */
function expand(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new InputError(`${file}: ${messageOf(error)}`, { cause: error });
  }
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${file} is not JSON: ${messageOf(error)}`, { cause: error });
  }
}
