import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, it } from "vitest";
import { readTasks } from "../../envs/sql/tasks-file.ts";
import { loadConfig, resolveConfig } from "../../src/config/load-config.ts";
import { importFormats, readQuestions } from "../../src/run/import/read-questions.ts";
import { fuzz, fuzzTimeout, scratchFolder } from "./fuzz.ts";
import { mutantJson, mutantText, mutantValue } from "./mutants.ts";

const folder = scratchFolder();
const yaml = `# what is written by hand
env: { type: sql, maxTurns: 3 }
kernel:
  policies:
    - type: sql
      deny: [DROP, DELETE] # never
      tables: { "*": &all { select: true }, users: { select: { except: [hash] } }, logs: *all }
    - { type: budget, syscalls: 16 }
train:
  iterations: 3
store: >-
  sqlite:faraday.db
`;
const small = join(folder, "small.json");
writeFileSync(small, JSON.stringify({ env: { type: "sql" }, kernel: { policies: [{ type: "sql", deny: ["DROP"] }] } }));

const config = {
  env: { type: "sql", maxTurns: 3, schemaInPrompt: true },
  kernel: {
    drivers: { sql: { script: "CREATE TABLE t (a)" } },
    policies: [
      {
        type: "sql",
        deny: ["DROP"],
        tables: { "*": { select: true }, t: { select: { except: ["a"] } } },
        limits: { rowsChanged: 1 },
      },
      { type: "budget", syscalls: 4 },
      { type: "content", in: "args", patterns: ["email"], action: "block" },
    ],
  },
  reward: { critical: 100, low: 1, channels: "separate" },
  train: {
    algorithm: "grpo",
    iterations: 3,
    groupsPerBatch: 2,
    groupSize: 4,
    seed: 1,
    constraint: { type: "pid", target: 0.1 },
  },
  workers: 2,
  store: "sqlite:faraday.db",
};
const settings = [
  "train.iterations=3",
  "kernel.policies.0.deny.1=DELETE",
  "env={type: sql}",
  "workers=auto",
  "train.seed=7",
];
const tasks = [
  { id: "one", prompt: "How many?", sql: "SELECT count(*) FROM t", split: "train", demo: ["SELECT 1"], kind: "count" },
  { id: "two", prompt: "Which?", sql: "SELECT a FROM t", split: "test" },
];

/** Texts at one path, one after the other. */
function writing<Text extends string>(name: string, read: (path: string) => unknown) {
  const path = join(folder, name);
  return (text: Text) => {
    writeFileSync(path, text);
    return read(path);
  };
}

describe("a config that is not what it was", fuzzTimeout, () => {
  it("as YAML", () =>
    fuzz(
      mutantText(yaml),
      writing("a.yaml", (file) => loadConfig({ file })),
    ));

  it("as JSON", () =>
    fuzz(
      fc.oneof(mutantJson(config), mutantText(JSON.stringify(config))),
      writing("a.json", (file) => loadConfig({ file })),
    ));

  it("as an object", () =>
    fuzz(mutantValue(config) as fc.Arbitrary<typeof config>, (given) => resolveConfig(given), { part: 0.2 }));

  it("by settings of the command line", () =>
    fuzz(fc.array(mutantText(...settings), { minLength: 1, maxLength: 2 }), (sets) =>
      loadConfig({ file: small, sets }),
    ));
});

describe("tasks that are not what they were", fuzzTimeout, () => {
  const lines = fc
    .array(fc.oneof(mutantJson(...tasks), mutantText(...tasks.map((task) => JSON.stringify(task)))), {
      minLength: 1,
      maxLength: 3,
    })
    .map((given) => given.join("\n"));

  it("as JSONL", () =>
    fuzz(
      lines,
      writing("tasks.jsonl", (file) => readTasks(file, folder)),
    ));

  const questions = [
    { question: "How many?", query: "SELECT 1", db_id: "shop", split: "train" },
    {
      sql: ["SELECT x"],
      sentences: [{ text: "Which x?", variables: { x: "1" }, "question-split": "test" }],
      variables: [{ name: "x", example: "2" }],
      "query-split": "dev",
    },
  ];
  const table = 'question,query,db_id\n"How ""many""?",SELECT 1,shop\nWhich?,"SELECT\n2",shop\n';
  const files = fc.tuple(
    fc.oneof(mutantJson(questions, [questions[0]], questions[0]), mutantText(table, JSON.stringify(questions))),
    fc.constantFrom(...importFormats),
  );

  it("as questions to import", () =>
    fuzz(files, ([text, format]) => writing("questions.json", (file) => readQuestions(file, format))(text)));
});
