import { readFileSync } from "node:fs";
import { basename, extname } from "node:path";
import { z } from "zod";
import { InputError, messageOf } from "../../core/errors.ts";
import { type Question, splitNamed } from "./question.ts";
import { separatedValues } from "./separated-values.ts";

/** What a file of questions may be; `auto` looks at its name and content. */
export const importFormats = ["auto", "spider", "text2sql", "jsonl", "csv", "tsv"] as const;
export type ImportFormat = (typeof importFormats)[number];

export interface QuestionFile {
  readonly format: Exclude<ImportFormat, "auto">;
  readonly questions: readonly Question[];
}

const problemsMax = 5;

/**
 * The questions of one file.
 * @throws {InputError} naming the file, and what was expected of which entry.
 */
export function readQuestions(file: string, wanted: ImportFormat): QuestionFile {
  const text = textOf(file);
  const format = wanted === "auto" ? formatOf(file, text) : wanted;
  const questions = readers[format](text, file);
  if (questions.length === 0) throw new InputError(`${file}: expected questions, got none`);
  return { format, questions };
}

function textOf(file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    throw new InputError(`${file}: expected a file of questions in UTF-8: ${messageOf(error)}`, { cause: error });
  }
}

function formatOf(file: string, text: string): QuestionFile["format"] {
  const extension = extname(file).toLowerCase();
  if (extension === ".tsv" || extension === ".tab") return "tsv";
  if (extension === ".csv") return "csv";
  if (!/^\s*\[/.test(text)) {
    if (/^\s*\{/.test(text)) return "jsonl";
    throw new InputError(`${file}: expected JSON, JSONL, .csv or .tsv; say which with --format`);
  }
  const first = (jsonOf(text, file) as unknown[])[0];
  return typeof first === "object" && first !== null && "sentences" in first ? "text2sql" : "spider";
}

const readers: Readonly<Record<QuestionFile["format"], (text: string, file: string) => Question[]>> = {
  spider: (text, file) => entriesOf(text, file).map((entry, index) => plainQuestion(entry, `${file}[${index}]`)),
  text2sql: (text, file) => entriesOf(text, file).flatMap((entry, index) => groupQuestions(entry, `${file}[${index}]`)),
  jsonl: (text, file) =>
    text.split(/\r?\n/).flatMap((line, index) => {
      const where = `${file}, line ${index + 1}`;
      return line.trim() === "" ? [] : [plainQuestion(jsonOf(line, where), where)];
    }),
  csv: (text, file) => tableQuestions(separatedValues(text, ","), file),
  tsv: (text, file) => tableQuestions(separatedValues(text, "\t"), file),
};

function jsonOf(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${where}: expected JSON: ${messageOf(error)}`);
  }
}

function entriesOf(text: string, file: string): unknown[] {
  const entries = jsonOf(text, file);
  if (Array.isArray(entries)) return entries;
  throw new InputError(`${file}: expected a JSON list of questions, got ${entries === null ? "null" : typeof entries}`);
}

const questionKeys = ["question", "prompt", "utterance", "text"];
/** `sql` comes last: in Spider's own files it is the parsed query, and `query` its text. */
const queryKeys = ["query", "SQL", "sql"];
const databaseKeys = ["db_id", "database", "database_id"];

/** An object with a question and a query; other keys are passed over. */
function plainQuestion(entry: unknown, where: string): Question {
  const fields = checked(z.looseObject({}), entry, where);
  const first = (keys: readonly string[]) =>
    keys.map((key) => fields[key]).find((value): value is string => typeof value === "string");
  const [question, query] = [first(questionKeys), first(queryKeys)];
  if (question === undefined || query === undefined) {
    const missing = question === undefined ? questionKeys : queryKeys;
    throw new InputError(
      `${where}: expected a text named ${missing.join(" or ")}, got ${Object.keys(fields).join(", ") || "none"}`,
    );
  }
  return { question, query, database: first(databaseKeys), split: splitNamed(fields.split), querySplit: undefined };
}

const values = z.record(z.string(), z.coerce.string());
const group = z.looseObject({
  sql: z.array(z.string()).min(1),
  sentences: z.array(
    z.looseObject({
      text: z.string(),
      variables: values.default({}),
      "question-split": z.unknown(),
      database: z.string().optional(),
    }),
  ),
  variables: z.array(z.looseObject({ name: z.string(), example: z.coerce.string().default("") })).default([]),
  "query-split": z.unknown(),
});

/** One query with several sentences, names of variables standing for literals in both. Of equivalent queries the first counts. */
function groupQuestions(entry: unknown, where: string): Question[] {
  const { sql, sentences, variables, "query-split": querySplit } = checked(group, entry, where);
  const examples = Object.fromEntries(variables.map(({ name, example }) => [name, example]));
  return sentences.map((sentence) => {
    const literals = { ...examples, ...sentence.variables };
    return {
      question: filled(sentence.text, literals),
      query: filled(sql[0] as string, literals),
      database: sentence.database,
      split: splitNamed(sentence["question-split"]),
      querySplit: splitNamed(querySplit),
    };
  });
}

function filled(text: string, literals: Readonly<Record<string, string>>): string {
  const names = Object.keys(literals)
    .filter((name) => name !== "")
    .sort((a, b) => b.length - a.length);
  if (names.length === 0) return text;
  const pattern = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  return text.replace(
    new RegExp(`(?<![\\p{L}\\p{N}_])(?:${pattern})(?![\\p{L}\\p{N}_])`, "gu"),
    (name) => literals[name] ?? name,
  );
}

/** Records under a line of names. */
function tableQuestions([names = [], ...records]: readonly string[][], file: string): Question[] {
  const keys = names.map((name) => name.replace(/^\uFEFF/, "").trim());
  return records.map((record, index) => {
    const where = `${basename(file)}, record ${index + 1}`;
    if (record.length !== keys.length) {
      throw new InputError(`${where}: expected ${keys.length} fields as the first line has, got ${record.length}`);
    }
    return plainQuestion(Object.fromEntries(keys.map((key, place) => [key, record[place]])), where);
  });
}

function checked<T>(shape: z.ZodType<T>, value: unknown, where: string): T {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, problemsMax)
    .map(({ path, message }) => `${path.join(".") || "entry"}: ${message}`);
  throw new InputError(`${where}: ${problems.join("; ")}`);
}
