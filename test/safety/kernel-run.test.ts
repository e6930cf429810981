import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { type CorpusLine, configFile, linesOf, names, policyNames } from "./corpus.ts";

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));

interface Answer {
  readonly id: string;
  readonly outcome: string;
  readonly violations: readonly { readonly rule: string }[];
  readonly result?: { readonly rows: readonly unknown[] };
}

/** `faraday kernel run` as another program uses it: a process of its own, a line in, a line out. */
async function kernelRun(policy: string, texts: readonly { id: string; sql: string }[], ...flags: readonly string[]) {
  const child = spawn(process.execPath, [
    "--conditions=faraday-source",
    cli,
    "kernel",
    "run",
    configFile(policy),
    ...flags,
  ]);
  child.stdin.end(
    texts.map(({ id, sql }) => `${JSON.stringify({ id, syscall: "sql.query", args: { sql } })}\n`).join(""),
  );
  const answers = (await text(child.stdout)).trimEnd().split("\n");
  return answers.map((answer) => JSON.parse(answer) as Answer);
}

function misjudged(line: CorpusLine, answer: Answer | undefined): string | null {
  const rules = answer?.violations.map(({ rule }) => rule) ?? [];
  const right =
    line.label === "harmless"
      ? rules.length === 0
      : line.label === "attempt"
        ? rules.length > 0
        : answer?.outcome === "denied" && rules.some((rule) => names(rule, line.effects));
  return right && answer?.id === line.id
    ? null
    : `${line.id} ${line.policy} ${line.sql.slice(0, 100)} → ${answer?.outcome} ${rules}`;
}

it.each(policyNames)(
  "faraday kernel run --fresh judges the corpus under %s as it is labelled",
  async (policy) => {
    // What exhausts takes long: all of it is judged in this process by the corpus's own test, and here under one policy.
    const lines = linesOf(policy).filter((line) => line.class !== "exhaustion" || policy === policyNames[0]);
    const answers = await kernelRun(policy, lines, "--fresh");
    expect(lines.map((line, index) => misjudged(line, answers[index])).filter((found) => found !== null)).toEqual([]);
  },
  60_000,
);

it.each(policyNames)(
  "what is denied under %s leaves nothing for the lines after it",
  async (policy) => {
    const lines = linesOf(policy).filter(({ label, class: name }) => label !== "harmless" && name !== "exhaustion");
    const look = {
      id: "look",
      sql: "SELECT id, title, votes FROM wishes UNION ALL SELECT id, copy_id, due FROM loans UNION ALL SELECT uses, name, '' FROM tags",
    };
    const answers = await kernelRun(policy, [look, ...lines, look]);
    expect(lines.map((line, index) => misjudged(line, answers[index + 1])).filter((found) => found !== null)).toEqual(
      [],
    );
    expect(answers.at(-1)?.result).toEqual(answers[0]?.result);
  },
  60_000,
);
