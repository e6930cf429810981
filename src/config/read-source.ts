import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { type Document, LineCounter, parseDocument } from "yaml";
import { InputError, messageOf } from "../core/errors.ts";

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
  const [error] = document.errors;
  if (error !== undefined) throw error;
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
  const mistakes = [...document.errors, ...document.warnings];
  if (mistakes.length === 0) return expand(document, file);
  const places = mistakes.map((mistake) => {
    const { line, col } = lines.linePos(mistake.pos[0]);
    return `${file}:${line}:${col}: ${mistake.message}`;
  });
  throw new InputError(places.join("\n"));
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
