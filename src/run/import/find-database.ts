import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../../core/errors.ts";
import type { Question } from "./question.ts";

const extensions = [".sqlite", ".sqlite3", ".db", ".sql"];

/** The database that is imported: its name in the data set, `undefined` where that names none, and its file. */
export interface ChosenDatabase {
  readonly name: string | undefined;
  readonly file: string;
}

/**
 * The one database that questions are about, and its file: `place` itself, or in it `<name>/<name>.sqlite`, as Spider has it, or
 * `<name>.sqlite`.
 * @param wanted The name to take, where the questions are about several.
 * @throws {InputError} where it is not clear which, or there is no such file.
 */
export function findDatabase(
  questions: readonly Question[],
  { place, wanted }: { readonly place: string; readonly wanted: string | undefined },
): ChosenDatabase {
  const name = nameOf(questions, wanted);
  if (!existsSync(place))
    throw new InputError(`--database must be a file or a folder, got ${place}, which is not there`);
  if (!statSync(place).isDirectory()) return { name, file: place };
  const found = name === undefined ? onlyFile(place) : named(place, name);
  if (found !== undefined) return { name, file: found };
  const expected = name === undefined ? "one database" : `${join(name, `${name}.sqlite`)} or ${name}.sqlite`;
  throw new InputError(`--database ${place}: expected ${expected} in it; name the file itself`);
}

function nameOf(questions: readonly Question[], wanted: string | undefined): string | undefined {
  const counts = new Map<string, number>();
  for (const { database } of questions)
    if (database !== undefined) counts.set(database, (counts.get(database) ?? 0) + 1);
  const names = [...counts].sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} (${count})`);
  if (wanted !== undefined) {
    if (counts.has(wanted)) return wanted;
    throw new InputError(`--db must be one that the questions name, got ${wanted} and ${listed(names)}`);
  }
  if (counts.size > 1) {
    throw new InputError(`the questions are about ${counts.size} databases; choose one with --db: ${listed(names)}`);
  }
  return counts.keys().next().value;
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return "questions that name none";
  return names.slice(0, 8).join(", ") + (names.length > 8 ? ", …" : "");
}

function named(folder: string, name: string): string | undefined {
  const places = [join(folder, name, name), join(folder, name)];
  const candidates = places.flatMap((path) => extensions.map((extension) => path + extension));
  return candidates.find((path) => existsSync(path));
}

function onlyFile(folder: string): string | undefined {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
    extensions.some((extension) => file.endsWith(extension)),
  );
  return files.length === 1 ? join(folder, files[0] as string) : undefined;
}
