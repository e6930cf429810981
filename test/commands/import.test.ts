import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dataset, libraryScript, type SpiderEntry, spiderEntries } from "../run/import/library.ts";
import { faraday } from "./run-cli.ts";

interface Task {
  readonly prompt: string;
  readonly sql: string;
  readonly split: string;
}

async function imported(set: ReturnType<typeof dataset>, ...more: string[]) {
  const { exitCode, stdout, stderr } = await faraday(importArgs(set, ...more));
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const lines = readFileSync(join(set.out, "tasks.jsonl"), "utf8").trim().split("\n");
  return { report: JSON.parse(stdout), tasks: lines.map((line): Task => JSON.parse(line)) };
}

function importArgs({ file, databases, out }: ReturnType<typeof dataset>, ...more: string[]): string[] {
  return ["import", file, "--database", databases, "--out", out, "--json", ...more];
}

const spider = (...entries: SpiderEntry[]) => dataset(JSON.stringify([...spiderEntries, ...entries]));
const ask = (query: string, question = query): SpiderEntry => ({ db_id: "library", question, query, split: "train" });

describe("faraday import", () => {
  it("makes of Spider's form tasks, a database and a config that eval and pretrain understand", async () => {
    const set = spider();
    const { report, tasks } = await imported(set);
    expect(report).toMatchObject({ formats: ["spider"], database: "library", tables: 2, questions: 12, dropped: 0 });
    expect(tasks[0]).toMatchObject({
      prompt: "Which books have more than 100 pages?",
      sql: "SELECT title FROM book WHERE pages>100",
    });
    expect(readdirSync(set.out).sort()).toEqual(["database.sql", "faraday.yaml", "tasks.jsonl"]);
    const small = ["pretrain.epochs=1", "model.width=16", "model.layers=1", "model.heads=2"].flatMap((one) => [
      "--set",
      one,
    ]);
    const policy = join(set.out, "base-policy");
    expect(await faraday(["pretrain", join(set.out, "faraday.yaml"), ...small, "--out", policy])).toMatchObject({
      exitCode: 0,
    });
    const measured = await faraday([
      "eval",
      policy,
      "--config",
      join(set.out, "faraday.yaml"),
      "--split",
      "train",
      "--json",
    ]);
    expect(JSON.parse(measured.stdout)).toMatchObject({ violationRate: 0, undetectedRate: 0 });
  }, 60_000);

  it("fills in the variables of grouped questions, takes their split, and writes strings in single quotes", async () => {
    const group = {
      sql: ['SELECT A.home FROM author AS A WHERE A.name = "name0" ;', "SELECT 1"],
      "query-split": "test",
      sentences: [
        { text: "where does name0 live", variables: { name0: "cy o'neal" }, "question-split": "train" },
        { text: "home of name0", variables: { name0: "bo lind" }, "question-split": "dev" },
        { text: "home town of name0", variables: {}, "question-split": "exclude" },
      ],
      variables: [{ name: "name0", example: "ana de souza", location: "both", type: "name" }],
    };
    const set = dataset(JSON.stringify([group]));
    const { report, tasks } = await imported(set);
    expect(report).toMatchObject({ formats: ["text2sql"], reasons: { "excluded by the data set": 1 } });
    expect(tasks).toEqual([
      {
        id: "q0001",
        prompt: "where does cy o'neal live",
        sql: "SELECT A.home FROM author AS A WHERE A.name='cy o''neal'",
        split: "train",
      },
      {
        id: "q0002",
        prompt: "home of bo lind",
        sql: "SELECT A.home FROM author AS A WHERE A.name='bo lind'",
        split: "val",
      },
    ]);
  });

  it.each([
    ["jsonl", '{"prompt": "how many, books?", "sql": "select count(*) from book", "split": "train"}\n\n'],
    ["csv", 'question,sql,split\n"how many, books?",select count(*) from book,train\n'],
    ["tsv", "split\tquery\tquestion\r\ntrain\tselect count(*) from book\thow many, books?\r\n"],
  ])("reads %s", async (extension, text) => {
    const { tasks } = await imported(dataset(text, extension));
    expect(tasks).toEqual([
      { id: "q0001", prompt: "how many, books?", sql: "select count(*) from book", split: "train" },
    ]);
  });

  it("leaves out what does not run, is not a reading or is too much, and counts it by reason", async () => {
    const endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n) SELECT count(*) FROM n";
    const { report } = await imported(
      spider(
        ask("SELECT nope FROM book"),
        ask("SELECT no FROM book"),
        ask("SELECT FROM"),
        ask("DELETE FROM book"),
        ask(endless),
        ask("SELECT 1", " "),
        ask("", "why"),
        spiderEntries[3] as SpiderEntry,
      ),
    );
    expect(report.tasks.train + report.tasks.val + report.tasks.test).toBe(12);
    expect(report.dropped).toBe(8);
    expect(report.reasons).toEqual({
      "no such column": 2,
      "syntax error": 1,
      "denied: DELETE": 1,
      "denied: limit vmSteps": 1,
      "no question": 1,
      "no query": 1,
      "question asked before": 1,
    });
  });

  it("splits by hash alike each time; by query, no template is in two splits", async () => {
    const first = await imported(spider());
    expect((await imported(spider())).tasks).toEqual(first.tasks);
    expect(new Set(first.tasks.map(({ split }) => split)).size).toBeGreaterThan(1);
    const entries = ["title", "pages", "book_id", "author_id"].flatMap((column) =>
      [1, 2, 3].map((pages) => ask(`SELECT ${column} FROM book WHERE pages > ${pages}`)),
    );
    const { tasks } = await imported(dataset(JSON.stringify(entries)), "--split", "query");
    const splitsOf = (column: string) =>
      new Set(tasks.filter(({ sql }) => sql.includes(` ${column} `)).map(({ split }) => split)).size;
    expect(["title", "pages", "book_id", "author_id"].map(splitsOf)).toEqual([1, 1, 1, 1]);
  });
});

describe("bad input to faraday import ends with 2 and writes nothing", () => {
  const twoDatabases = JSON.stringify([ask("SELECT 1"), { ...ask("SELECT 2"), db_id: "zoo" }]);
  it.each([
    ["no questions", "[]", [], /expected questions, got none/],
    ["no JSON", "[{", [], /expected JSON/],
    ["another form", "plain words", [], /say which with --format/],
    ["an entry without a query", '[{"question": "why"}]', [], /questions\.json\[0\]: expected a text named query/],
    ["several databases", twoDatabases, [], /about 2 databases; choose one with --db: library \(1\), zoo \(1\)/],
    ["a database that no question names", twoDatabases, ["--db", "shop"], /--db must be one that the questions name/],
    ["a database that is not there", twoDatabases, ["--db", "zoo"], /expected zoo.zoo\.sqlite or zoo\.sqlite/],
    ["no question that can be used", JSON.stringify([ask("SELECT nope")]), [], /no such column \(1\)/],
    ["an unknown format", "[]", ["--format", "xml"], /--format must be one of/],
    ["a split that is not given", JSON.stringify(spiderEntries), ["--split", "given"], /no split is given \(12\)/],
  ])("%s", async (_, text, more, message) => {
    const set = dataset(text);
    const { exitCode, stderr } = await faraday(importArgs(set, ...more));
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(message) });
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(existsSync(set.out)).toBe(false);
  });

  it("a folder that holds something, or no --database", async () => {
    const set = spider();
    expect((await faraday(["import", set.file, "--database", set.databases, "--out", set.folder])).exitCode).toBe(2);
    expect((await faraday(["import", set.file, "--out", set.out])).exitCode).toBe(2);
  });

  it("a file that is no database", async () => {
    const set = spider();
    const bad = join(set.folder, "bad.sql");
    writeFileSync(bad, `${libraryScript}\nCREATE nonsense;`);
    expect(await faraday(importArgs({ ...set, databases: bad }))).toMatchObject({ exitCode: 2 });
    expect(existsSync(set.out)).toBe(false);
  });
});
