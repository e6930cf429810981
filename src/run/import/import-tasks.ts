import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { type Split, splits } from "../../core/env.ts";
import { FaradayError, InputError, messageOf } from "../../core/errors.ts";
import { type SplitMode, splitOf } from "./assign-splits.ts";
import { findDatabase } from "./find-database.ts";
import { GoldDatabase } from "./gold-database.ts";
import { importedConfig, readOnlyPolicies } from "./imported-config.ts";
import { queryTemplate, tidyQuery } from "./query-text.ts";
import { type Question, splitNamed } from "./question.ts";
import { type ImportFormat, type QuestionFile, readQuestions } from "./read-questions.ts";

export interface ImportOptions {
  /** With several files, one that is named for a split (`train_spider.json`, `dev.json`) is that split where it says nothing itself. */
  readonly files: readonly string[];
  readonly format: ImportFormat;
  /** A database file, an SQL script, or a folder of databases. */
  readonly database: string;
  /** The database to take, where the questions are about several. */
  readonly name: string | undefined;
  readonly split: SplitMode;
  /** A new or empty folder. */
  readonly out: string;
  readonly signal?: AbortSignal;
}

/** What `import --json` prints. */
export interface ImportReport {
  readonly out: string;
  readonly formats: readonly QuestionFile["format"][];
  /** Name of the database in the data set; `null` where it says none. */
  readonly database: string | null;
  readonly tables: number;
  readonly questions: number;
  readonly tasks: Readonly<Record<Split, number>>;
  /** Queries that differ in more than literals. */
  readonly templates: number;
  /** Tasks whose gold answer has no rows: any query without an answer is right there. */
  readonly emptyAnswers: number;
  readonly dropped: number;
  /** Dropped questions by reason, the most frequent first. */
  readonly reasons: Readonly<Record<string, number>>;
  /** One dropped question for each reason. */
  readonly examples: Readonly<Record<string, string>>;
}

interface ImportedTask {
  readonly id: string;
  readonly prompt: string;
  readonly sql: string;
  readonly split: Split;
}

/**
 * Turns a text-to-SQL data set into what the sql environment takes: `tasks.jsonl`, the database and `faraday.yaml`. Every query is run under the
 * policies of that config; questions whose query fails or is denied are left out, and counted.
 * @throws {InputError} where a file is not what was expected, or nothing of it can be used; nothing is written then.
 */
export async function importTasks(options: ImportOptions): Promise<ImportReport> {
  const out = freeFolder(options.out);
  const files = options.files.map((file) => ({ file, ...readQuestions(file, options.format) }));
  const all = files.flatMap(({ file, questions }) => (files.length > 1 ? withSplit(questions, file) : questions));
  const chosen = findDatabase(all, { place: options.database, wanted: options.name });
  const questions = all.filter(({ database }) => database === undefined || database === chosen.name);
  using gold = await GoldDatabase.open(resolve(chosen.file), readOnlyPolicies());
  const schema = await gold.schema();
  const names = new Set([...schema].flat(2).map((name) => name.toLowerCase()));
  const selection = new Selection(options.split, names);
  for (const question of questions) {
    if (options.signal?.aborted) throw new FaradayError("import was stopped; nothing was written");
    await selection.consider(question, gold);
  }
  const { tasks } = selection;
  if (!tasks.some(({ split }) => split === "train")) {
    throw new InputError(`no question can be trained on, of ${questions.length}: ${selection.summary()}`);
  }
  write(out, { tasks, database: chosen.file });
  return {
    ...{ out, formats: [...new Set(files.map(({ format }) => format))], database: chosen.name ?? null },
    ...{ tables: schema.size, questions: questions.length, tasks: countBySplit(tasks) },
    ...{ templates: new Set(tasks.map(({ sql }) => queryTemplate(sql))).size, ...selection.figures() },
  };
}

function freeFolder(out: string): string {
  const folder = resolve(out);
  const taken = existsSync(folder) && (!isFolder(folder) || readdirSync(folder).length > 0);
  if (taken) throw new InputError(`--out must be a new or empty folder, got ${folder}`);
  return folder;
}

function isFolder(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}

function withSplit(questions: readonly Question[], file: string): readonly Question[] {
  const word = /^(train|dev|val|valid|test)(?![a-z])/i.exec(basename(file))?.[1];
  const split = splitNamed(word);
  return split === undefined ? questions : questions.map((question) => ({ split, ...defined(question) }));
}

function defined(question: Question): Question {
  const { split, ...rest } = question;
  return split === undefined ? rest : question;
}

/** The questions that can be used, and why others cannot. */
class Selection {
  readonly tasks: ImportedTask[] = [];
  readonly #mode: SplitMode;
  readonly #names: ReadonlySet<string>;
  readonly #seen = new Set<string>();
  readonly #reasons = new Map<string, { count: number; readonly example: string }>();
  #emptyAnswers = 0;

  constructor(mode: SplitMode, names: ReadonlySet<string>) {
    this.#mode = mode;
    this.#names = names;
  }

  async consider(question: Question, gold: GoldDatabase): Promise<void> {
    const prompt = question.question.replace(/\s+/g, " ").trim();
    const sql = tidyQuery(question.query, this.#names);
    const split = splitOf({ ...question, query: sql }, this.#mode);
    const early = this.#refusal(prompt, sql, split);
    if (early !== null) return this.#drop(early, `${prompt} ${sql}`);
    const answer = await gold.answer(sql);
    if ("problem" in answer) return this.#drop(answer.problem, sql);
    if (answer.rows === 0) this.#emptyAnswers++;
    this.#seen.add(prompt.toLowerCase());
    const id = `q${String(this.tasks.length + 1).padStart(4, "0")}`;
    this.tasks.push({ id, prompt, sql, split: split as Split });
  }

  figures(): Pick<ImportReport, "emptyAnswers" | "dropped" | "reasons" | "examples"> {
    const reasons = [...this.#reasons].sort(([, a], [, b]) => b.count - a.count);
    return {
      emptyAnswers: this.#emptyAnswers,
      dropped: reasons.reduce((sum, [, { count }]) => sum + count, 0),
      reasons: Object.fromEntries(reasons.map(([reason, { count }]) => [reason, count])),
      examples: Object.fromEntries(reasons.map(([reason, { example }]) => [reason, example])),
    };
  }

  summary(): string {
    const { reasons } = this.figures();
    const counted = Object.entries(reasons).map(([reason, count]) => `${reason} (${count})`);
    return counted.length === 0 ? "none is in the train split" : counted.join(", ");
  }

  #refusal(prompt: string, sql: string, split: Split | "exclude" | undefined): string | null {
    if (prompt === "") return "no question";
    if (sql === "") return "no query";
    if (split === "exclude") return "excluded by the data set";
    if (split === undefined) return "no split is given";
    // The same words in two splits would test what was trained on.
    return this.#seen.has(prompt.toLowerCase()) ? "question asked before" : null;
  }

  #drop(reason: string, example: string): void {
    const known = this.#reasons.get(reason);
    if (known === undefined) this.#reasons.set(reason, { count: 1, example });
    else known.count++;
  }
}

function countBySplit(tasks: readonly ImportedTask[]): Record<Split, number> {
  const counts = Object.fromEntries(splits.map((split) => [split, 0])) as Record<Split, number>;
  for (const { split } of tasks) counts[split]++;
  return counts;
}

function write(
  out: string,
  { tasks, database }: { readonly tasks: readonly ImportedTask[]; readonly database: string },
): void {
  const copy = `database${extname(database).toLowerCase() === ".sql" ? ".sql" : ".sqlite"}`;
  const episodes = Math.max(1, countBySplit(tasks).test);
  try {
    mkdirSync(out, { recursive: true });
    copyFileSync(database, join(out, copy));
    writeFileSync(join(out, "tasks.jsonl"), tasks.map((task) => `${JSON.stringify(task)}\n`).join(""));
    writeFileSync(join(out, "faraday.yaml"), importedConfig({ database: copy, episodes }));
  } catch (error) {
    throw new InputError(`import cannot write to ${out}: ${messageOf(error)}; name another folder with --out`, {
      cause: error,
    });
  }
}
