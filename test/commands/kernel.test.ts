import { expect, it } from "vitest";
import { defaultConfigFile } from "../../src/config/load-config.ts";
import { faraday } from "./run-cli.ts";

function query(sql: string, id?: unknown): string {
  return JSON.stringify({ ...(id === undefined ? {} : { id }), syscall: "sql.query", args: { sql } });
}

const change = [query("UPDATE orders SET status = 'x' WHERE id = 1"), query("SELECT status FROM orders WHERE id = 1")];

it("every line is answered in order, with its id", async () => {
  const lines = [query("SELECT 1", 7), query("DELETE FROM orders", "two"), "nonsense", "", query("SELECT 2")];
  const { stdout, exitCode } = await faraday(["kernel", "run", defaultConfigFile], { stdin: lines.join("\n") });
  const answers = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(exitCode).toBe(0);
  expect(answers).toMatchObject([
    { id: 7, verdict: "allow", violations: [], outcome: "completed", result: { rows: [[1]] } },
    { id: "two", verdict: "deny", violations: [{ policy: "sql", rule: "DELETE" }], outcome: "denied" },
    { id: null, verdict: "deny", outcome: "denied" },
    { id: null, verdict: "allow", outcome: "completed", result: { rows: [[2]] } },
  ]);
});

it("the state carries over from line to line, and --fresh restores it", async () => {
  const last = async (...flags: string[]) => {
    const { stdout } = await faraday(["kernel", "run", defaultConfigFile, "--json", ...flags], {
      stdin: change.join("\n"),
    });
    return JSON.parse(stdout).at(-1).result.rows[0][0];
  };
  expect(await last()).toBe("x");
  expect(await last("--fresh")).not.toBe("x");
});

it("what JSON lacks is tagged, and nothing in is an empty array", async () => {
  const stdin = query("SELECT 9007199254740993, x'00ff', 9e999");
  const { stdout } = await faraday(["kernel", "run", defaultConfigFile], { stdin });
  expect(JSON.parse(stdout).result.rows).toEqual([
    [{ $bigint: "9007199254740993" }, { $bytes: "AP8=" }, { $number: "Infinity" }],
  ]);
  expect((await faraday(["kernel", "run", defaultConfigFile, "--json"])).stdout).toBe("[]\n");
});

it("lint names what a config's policies say in vain, with exit code 1, and 0 where they do not", async () => {
  const clean = await faraday(["kernel", "lint", defaultConfigFile, "--json"]);
  expect({ ...JSON.parse(clean.stdout), policies: "" }).toEqual({ ok: true, policies: "", findings: [] });
  expect(clean.exitCode).toBe(0);
  const set = "kernel.policies.0.tables.nowhere={select: true, insert: true}";
  const dirty = await faraday(["kernel", "lint", defaultConfigFile, "--set", set]);
  expect(dirty.exitCode).toBe(1);
  expect(dirty.stdout).toContain("kernel.policies.0.tables.nowhere names a table that the database does not have");
});

it("hash prints the hash of the policy set, which a mode changes", async () => {
  const hash = async (...more: string[]) => (await faraday(["kernel", "hash", defaultConfigFile, ...more])).stdout;
  expect(await hash()).toMatch(/^[0-9a-f]{64}\n$/);
  expect(await hash("--set", "kernel.policies.0.mode=shadow")).not.toBe(await hash());
});

it("answers say what policies made of arguments and results", async () => {
  const set = `kernel.policies=[{type: content, find: [email]}]`;
  const stdin = query("SELECT 'ann@example.com', 'bob' || '@example.com'");
  const { stdout } = await faraday(["kernel", "run", defaultConfigFile, "--set", set], { stdin });
  expect(JSON.parse(stdout)).toMatchObject({
    verdict: "transform",
    args: { sql: "SELECT '[REDACTED:email]', 'bob' || '@example.com'" },
    result: { rows: [["[REDACTED:email]", "[REDACTED:email]"]] },
    violations: [
      { policy: "content", type: "MODIFIED" },
      { policy: "content", type: "MODIFIED" },
    ],
  });
});
