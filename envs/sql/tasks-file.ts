import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { splits } from "../../src/core/env.ts";
import { InputError, messageOf } from "../../src/core/errors.ts";
import { firstOf } from "../../src/core/first-of.ts";
import type { SqlTask } from "./task.ts";

const text = z.string().regex(/\S/, "expected text that is not blank");

const taskLine = z.strictObject({
  id: text,
  prompt: text,
  sql: text,
  split: z.enum(splits),
  demo: z
    .union([text, z.array(text).min(1, "expected at least one statement")], "expected an SQL text or a list of them")
    .optional(),
  kind: text.default("task"),
});

/**
 * Tasks from a JSONL file, one a line; blank lines are passed over.
 * @throws {InputError} with every bad line at once.
 */
export function readTasks(path: string, baseDir: string): SqlTask[] {
  const file = resolve(baseDir, path);
  const problems: string[] = [];
  const tasks: SqlTask[] = [];
  const lineOfId = new Map<string, number>();
  for (const [index, line] of linesOf(file).entries()) {
    if (line.trim() === "") continue;
    const parsed = parseLine(line);
    const earlier = "task" in parsed ? lineOfId.get(parsed.task.id) : undefined;
    if ("problem" in parsed) problems.push(`line ${index + 1}: ${parsed.problem}`);
    else if (earlier !== undefined)
      problems.push(`line ${index + 1}: id ${parsed.task.id} is taken by line ${earlier}`);
    else {
      lineOfId.set(parsed.task.id, index + 1);
      tasks.push(parsed.task);
    }
  }
  if (problems.length > 0) throw new InputError(report(file, problems));
  if (tasks.length === 0) throw new InputError(`env.tasks ${file}: expected one task a line, but the file is empty`);
  return tasks;
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, "utf8")
      .replace(/^\uFEFF/, "")
      .split(/\r?\n/);
  } catch (error) {
    throw new InputError(`env.tasks must be a readable JSONL file: ${messageOf(error)}`, { cause: error });
  }
}

function parseLine(line: string): { readonly task: SqlTask } | { readonly problem: string } {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    // Its "(line 1 column 2)" would be read as a line of the file.
    return { problem: `expected a JSON object: ${messageOf(error).replace(/ \(line \d+ column \d+\)$/, "")}` };
  }
  const parsed = taskLine.safeParse(json);
  if (!parsed.success) return { problem: parsed.error.issues.map(describeIssue).join("; ") };
  const { demo = parsed.data.sql, ...task } = parsed.data;
  return { task: { ...task, demo: typeof demo === "string" ? [demo] : demo } };
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.join(".");
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}

function report(file: string, problems: readonly string[]): string {
  const count = problems.length === 1 ? "one bad line" : `${problems.length} bad lines`;
  return [`env.tasks ${file} has ${count}:`, ...firstOf(problems.map((problem) => `  ${problem}`))].join("\n");
}
