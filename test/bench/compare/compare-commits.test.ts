import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareCommits } from "../../../bench/compare/comparison.ts";
import { renderComparison } from "../../../bench/compare/table.ts";

const repository = mkdtempSync(join(tmpdir(), "faraday-compared-"));
const turns = join(repository, "turns.log");
const told: string[] = [];
const options = { repository, rounds: 5, args: ["--workers", "1,2"], tell: (text: string) => told.push(text) };

/** A command line that prints rows, and writes down when it was run and with what. */
const benchSource = (rows: string) => `
  import { appendFileSync, readFileSync } from "node:fs";
  appendFileSync(${JSON.stringify(turns)}, process.argv.slice(2).join(" ") + "\\n");
  const run = readFileSync(${JSON.stringify(turns)}, "utf8").split("\\n").length;
  const row = (workload, episodesPerSecond) => ({ workload, workers: 2, governed: true, episodesPerSecond });
  console.log(JSON.stringify({ machine: { cores: 2 }, rows: [${rows}] }));`;

function commit(name: string, rows: string): void {
  mkdirSync(join(repository, "src"), { recursive: true });
  writeFileSync(join(repository, "src", "cli.ts"), benchSource(rows));
  git("add", "src", "package.json", "package-lock.json");
  git("commit", "--quiet", "--message", name);
  git("tag", name);
}

function git(...args: readonly string[]): string {
  const author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
  return execFileSync("git", [...author, ...args], { cwd: repository, encoding: "utf8" });
}

beforeAll(() => {
  git("init", "--quiet");
  writeFileSync(join(repository, "package.json"), '{ "type": "module" }');
  writeFileSync(join(repository, "package-lock.json"), "{}");
  mkdirSync(join(repository, "node_modules", ".bin"), { recursive: true });
  symlinkSync(process.execPath, join(repository, "node_modules", ".bin", "node"));
  commit("before", 'row("echo", 1000 + run), row("sql", 500 + run), row("gone", 1)');
  commit("after", 'row("echo", 2000 + run), row("sql", 400 + run), row("new", 1)');
  commit("broken", "nothing");
});
afterAll(() => rmSync(repository, { recursive: true }));

describe("comparing two commits", () => {
  it("runs both in turns, says which rows differ, and leaves nothing behind", async () => {
    const comparison = await compareCommits({ ...options, base: "before", head: "after" });
    expect(comparison.rows).toMatchObject([
      { name: "echo, workers 2", verdict: "faster", probability: 2 / 252 },
      { name: "sql, workers 2", verdict: "slower", probability: 2 / 252 },
    ]);
    expect(comparison).toMatchObject({ machine: { cores: 2 }, base: { name: "before" }, head: { name: "after" } });
    expect(comparison.onlyIn).toEqual([
      { name: "gone, workers 2", side: "base" },
      { name: "new, workers 2", side: "head" },
    ]);
    expect(told.slice(0, 4).map((line) => line.split(": ")[1])).toEqual(["before", "after", "after", "before"]);
    expect(git("worktree", "list").trim().split("\n")).toHaveLength(1);
    const text = renderComparison(comparison);
    expect(text).toMatch(/echo, workers 2 +1,\d+ +2,\d+ +1\.9\d\d +0\.0079 +faster\n/);
    expect(text).toContain("gone, workers 2: in base alone, not compared\n");
  });

  it("finds nothing between a commit and itself", async () => {
    const { rows } = await compareCommits({ ...options, base: "before", head: "before" });
    expect(rows.map(({ verdict }) => verdict)).toEqual(["same", "same", "same"]);
  });

  it("needs enough rounds for its rows", async () => {
    await expect(compareCommits({ ...options, rounds: 3, base: "before", head: "after" })).rejects.toThrow(
      "--rounds must be at least 5 to tell 2 rows apart, got 3",
    );
  });

  it("says which commit's bench failed, and why", async () => {
    await expect(compareCommits({ ...options, base: "before", head: "broken" })).rejects.toThrow(
      /faraday bench of broken failed: .*nothing is not defined/s,
    );
    expect(git("worktree", "list").trim().split("\n")).toHaveLength(1);
  });

  it("refuses what is no commit", async () => {
    await expect(compareCommits({ ...options, base: "before", head: "nowhere" })).rejects.toMatchObject({
      exitCode: 2,
      message: 'BASE and HEAD must be commits of this repository, got "nowhere"',
    });
  });
});

describe("npm run bench:compare", () => {
  const entry = fileURLToPath(new URL("../../../bench/compare/index.ts", import.meta.url));
  it.each([
    [["main"], "two commits must be named, BASE and HEAD, got 1"],
    [["a", "b", "--rounds", "2"], '--rounds must be 3..30, got "2"'],
    [["a", "b", "--fast"], "Unknown option '--fast'"],
  ])("refuses %j with exit code 2", (args, message) => {
    const ran = spawnSync(process.execPath, ["--conditions=faraday-source", entry, ...args], {
      cwd: dirname(entry),
      encoding: "utf8",
    });
    expect({ status: ran.status, stdout: ran.stdout }).toEqual({ status: 2, stdout: "" });
    expect(ran.stderr).toContain(message);
  });
});
