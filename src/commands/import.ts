import { splits } from "../core/env.ts";
import { InputError } from "../core/errors.ts";
import { splitModes } from "../run/import/assign-splits.ts";
import { type ImportReport, importTasks } from "../run/import/import-tasks.ts";
import { importFormats } from "../run/import/read-questions.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";
import { choiceOption } from "./option-values.ts";

export const importCommand: Command = {
  usage: ["import <file>... --database PATH --out DIR [--format F] [--db NAME] [--split MODE]"],
  description: `Formats, told apart by name and content where --format does not say:
  spider    a JSON list of { question, query, db_id }, as Spider and BIRD have it
  text2sql  a JSON list of { sql: [...], sentences: [{ text, variables, question-split }], variables }
  jsonl     one object a line with question and query (or sql)
  csv, tsv  a first line with these names, then records

--database is an SQLite file, an SQL script, or a folder that holds <db_id>/<db_id>.sqlite.

Splits: auto takes the data set's, else a hash of the question (70 % train, 10 % val, 20 % test). question always takes that hash;
query splits by the query without its literals, so that no tested query was trained on. With several files, one named for a
split (train*.json, dev*.json, test*.json) is that split.

Every query is run in the kernel under the read-only policies that the config is given. Questions whose query fails,
is denied or exceeds a limit are left out and counted by reason. DIR gets tasks.jsonl, the database and faraday.yaml.`,
  positionals: { min: 1, max: 16, names: ["<file>"] },
  options: {
    database: { value: "PATH", summary: "The database, or a folder of databases; needed" },
    out: { value: "DIR", summary: "Folder to write; must be new or empty; needed" },
    format: { value: "F", summary: importFormats.join(", "), default: "auto" },
    db: { value: "NAME", summary: "Database to take where the questions are about several", default: "the only one" },
    split: { value: "MODE", summary: splitModes.join(", "), default: "auto" },
  },
  examples: [
    "faraday import geography.json --database geography.sqlite --out geography",
    "faraday import train_spider.json --database spider/database --db concert_singer --out concerts",
  ],
  run: runImport,
};

async function runImport(invocation: Invocation): Promise<CommandResult> {
  const report = await importTasks({
    files: invocation.positionals,
    format: choiceOption(invocation, "format", importFormats) ?? "auto",
    split: choiceOption(invocation, "split", splitModes) ?? "auto",
    database: needed(invocation, "database"),
    out: needed(invocation, "out"),
    name: invocation.value("db"),
    signal: invocation.signal,
  });
  return { json: report, text: sentences(report) };
}

function needed(invocation: Invocation, name: string): string {
  const value = invocation.value(name);
  if (value !== undefined && value !== "") return value;
  throw new InputError(`faraday import needs --${name}; see faraday import --help`);
}

function sentences({ out, tasks, tables, templates, emptyAnswers, dropped, reasons, examples }: ImportReport): string {
  const counts = splits.map((split) => `${tasks[split]} ${split}`).join(", ");
  const total = splits.reduce((sum, split) => sum + tasks[split], 0);
  const lines = [
    `${total} tasks (${counts}) of ${templates} query templates on ${tables} tables`,
    ...(emptyAnswers === 0
      ? []
      : [`${emptyAnswers} gold answers have no rows: any query that finds nothing is right there`]),
    ...(dropped === 0 ? [] : [`${dropped} questions left out:`]),
    ...Object.entries(reasons).map(
      ([reason, count]) => `  ${count}  ${reason}, such as: ${shortened(examples[reason] ?? "")}`,
    ),
    `Next: faraday pretrain ${out}/faraday.yaml --out ${out}/base-policy`,
    `      faraday train ${out}/faraday.yaml`,
  ];
  return `${lines.join("\n")}\n`;
}

function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
