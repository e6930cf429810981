import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { faraday } from "../commands/run-cli.ts";
import { expectClearText, fuzzTimeout, runCount, scratchFolder, seed } from "./fuzz.ts";
import { mutantJson, mutantText } from "./mutants.ts";

const config = join(scratchFolder(), "faraday.json");
writeFileSync(
  config,
  JSON.stringify({
    env: { type: "sql" },
    kernel: { policies: [{ type: "sql", deny: ["DROP", "DELETE"], limits: { rowsReturned: 5, vmSteps: 20_000 } }] },
  }),
);
const syscalls = [
  { id: 1, syscall: "sql.query", args: { sql: "SELECT id FROM users WHERE id < 3" } },
  { id: "two", syscall: "sql.query", args: { sql: "UPDATE users SET name = 'x' WHERE id = 1" } },
  { syscall: "sql.query", args: { sql: "DELETE FROM users", more: [1, { a: null }] } },
];
const lines = fc.oneof(mutantJson(...syscalls), mutantText(...syscalls.map((syscall) => JSON.stringify(syscall))));

it("kernel run answers every line, whatever it holds, in order", fuzzTimeout, async () => {
  // One line of stdin a case; blank ones are passed over.
  const given = fc.sample(lines, { seed, numRuns: runCount }).map((line) => line.replaceAll(/[\r\n]/g, " "));
  const asked = given.filter((line) => line.trim() !== "");
  const { exitCode, stdout, stderr } = await faraday(["kernel", "run", config], { stdin: `${given.join("\n")}\n` });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const answers = stdout.trimEnd().split("\n");
  for (const [index, answer] of answers.entries()) {
    const { id, outcome, error = "none" } = JSON.parse(answer);
    expect({ id, line: asked[index] }).toEqual({ id: idOf(asked[index] ?? ""), line: asked[index] });
    expect(["completed", "denied", "failed"]).toContain(outcome);
    expectClearText(error);
  }
  expect(answers).toHaveLength(asked.length);
});

/** As the answer has it: what JSON lacks is tagged. */
function idOf(line: string): unknown {
  try {
    const tagged = (_: string, value: unknown) =>
      typeof value === "number" && !Number.isFinite(value) ? { $number: String(value) } : value;
    return JSON.parse(JSON.stringify(JSON.parse(line)?.id ?? null, tagged));
  } catch {
    return null;
  }
}
