import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readTasks } from "../../../envs/sql/tasks-file.ts";
import { InputError } from "../../../src/core/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "faraday-tasks-"));
afterAll(() => rmSync(folder, { recursive: true }));

const good = { id: "a", prompt: "How many?", sql: "SELECT 1", split: "train" };

test("a demonstration is a text, a list, or else the gold answer", () => {
  const tasks = read([
    good,
    { ...good, id: "b", demo: "SELECT 2" },
    { ...good, id: "c", demo: ["x", "y"], kind: "odd" },
  ]);
  expect(tasks.map((task) => task.demo)).toEqual([["SELECT 1"], ["SELECT 2"], ["x", "y"]]);
  expect(tasks.map((task) => task.kind)).toEqual(["task", "task", "odd"]);
});

test("blank lines, a byte order mark and Windows line ends are passed over", () => {
  expect(readText(`\uFEFF${JSON.stringify(good)}\r\n\r\n  \n`)).toHaveLength(1);
});

test("every bad line is reported at once, with its number and what was expected", () => {
  const lines = [
    JSON.stringify(good),
    "{not json",
    JSON.stringify({ ...good, id: "b", split: "dev", prompt: " " }),
    JSON.stringify({ id: "c", prompt: "p", split: "test" }),
    JSON.stringify({ ...good, id: "d", demos: "x" }),
    JSON.stringify({ ...good, id: "e", demo: [] }),
    JSON.stringify(good),
    "[]",
    JSON.stringify({ ...good, id: "f", demo: 3 }),
  ];
  const message = messageOf(() => readText(lines.join("\n")));
  expect(message).toContain("has 8 bad lines");
  expect(message).toMatch(/line 2: expected a JSON object/);
  expect(message).toMatch(/line 3: prompt: expected text that is not blank; split: .*"train"\|"val"\|"test"/);
  expect(message).toMatch(/line 4: sql: .*expected string/);
  expect(message).toMatch(/line 5: .*"demos"/);
  expect(message).toMatch(/line 6: demo: expected at least one statement/);
  expect(message).toMatch(/line 7: id a is taken by line 1/);
  expect(message).toMatch(/line 8: .*expected object/);
  expect(message).toMatch(/line 9: demo: expected an SQL text or a list of them/);
});

test("an empty file, a missing file and a folder are each told plainly", () => {
  expect(messageOf(() => readText("\n\n"))).toMatch(/the file is empty/);
  expect(messageOf(() => readTasks("none.jsonl", folder))).toMatch(
    /env\.tasks must be a readable JSONL file: .*none\.jsonl/,
  );
  expect(messageOf(() => readTasks(".", folder))).toMatch(/env\.tasks must be a readable JSONL file/);
});

function read(tasks: readonly object[]) {
  return readText(tasks.map((task) => JSON.stringify(task)).join("\n"));
}

function readText(text: string) {
  writeFileSync(join(folder, "tasks.jsonl"), text);
  return readTasks("tasks.jsonl", folder);
}

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
  throw new Error("expected an InputError");
}
