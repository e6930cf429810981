import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { type BenchReport, rates } from "../../src/report/bench-report.ts";
import { faraday } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "faraday-test-bench-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A config by its file, as a user's own is named. */
const echo = fileURLToPath(new URL("../../envs/echo/default.yaml", import.meta.url));
const small = [
  "--seconds",
  "1",
  ...["groupsPerBatch=4", "groupsPerTask=2"].flatMap((set) => ["--set", `train.${set}`]),
];

describe("faraday bench", () => {
  it("gives one document: machine, versions, and a row for each number of workers", async () => {
    const { stdout, exitCode } = await faraday(["bench", "--json", "--workers", "1", ...small]);
    expect(exitCode).toBe(0);
    const { machine, versions, rows, rounds }: BenchReport = JSON.parse(stdout);
    expect(machine).toMatchObject({ cores: expect.any(Number), node: process.version });
    expect(versions["faraday-rl"]).toMatch(/^\d/);
    expect(rows).toHaveLength(1);
    const [row] = rows;
    expect(row).toMatchObject({ workload: "sql", runner: "faraday", workers: 1, governed: true, stored: true });
    expect(row).toMatchObject({ efficiency: 1, memory: { workerBytes: expect.any(Number) } });
    expect(row?.runs).toBeGreaterThanOrEqual(rounds);
    for (const rate of rates) {
      expect(row?.[rate]).toBe(row?.spread[rate].median);
      expect(row?.spread[rate].p25).toBeLessThanOrEqual(row?.[rate] ?? 0);
      expect(row?.spread[rate].p75).toBeGreaterThanOrEqual(row?.[rate] ?? 0);
      expect(row?.[rate]).toBeGreaterThan(0);
    }
  });

  it("prints tables, writes a page, and says on stderr how far it is", async () => {
    const page = join(folder, "bench.html");
    const { stdout, stderr, exitCode } = await faraday(["bench", echo, "--workers", "1", "--html", page, ...small]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/default +workers 1 +[\d.,]+ /);
    expect(stdout).toContain(`Page: ${page}`);
    expect(stderr).toContain("default: round 5 of 5, workers 1:");
    expect(readFileSync(page, "utf8")).toContain("<title>Faraday bench: default</title>");
  });

  it.each([
    [["--workers", "0"], 'each of --workers must be 1..256, got "0"'],
    [["--workers", "1,"], 'each of --workers must be 1..256, got ""'],
    [["--workers", "auto"], 'each of --workers must be 1..256, got "auto"'],
    [["--workers", "200,100"], "--workers must add up to at most 256, since all are started at once, got 300"],
    [["--seconds", "0"], '--seconds must be 1..3600, got "0"'],
    [["--seconds", "1.5"], '--seconds must be 1..3600, got "1.5"'],
    [["--governed", "maybe"], '--governed must be one of true, false, both, got "maybe"'],
    [["--store", "postgres"], '--store must be one of sqlite, none, got "postgres"'],
    [["a.yaml", "--workload", "sql"], "what to measure is a config or --workload, not both"],
    [
      ["--workload", "echo", "--set", "isolation=process"],
      "faraday bench measures threads: isolation must be thread, got process in echo; --set isolation=thread measures it so",
    ],
    [
      ["--workload", "sql,ecko"],
      '--workload must be of sql, sql-scripted, echo, echo-spans, wait, control, got "ecko"; did you mean echo?',
    ],
  ])("%j is refused before anything starts", async (args, message) => {
    expect(await faraday(["bench", ...args])).toEqual({ exitCode: 2, stdout: "", stderr: `faraday: ${message}\n` });
  });

  it("refuses a page that cannot be written before it measures", async () => {
    const page = join(folder, "nowhere", "bench.html");
    const { exitCode, stderr } = await faraday(["bench", "--workload", "echo", "--html", page]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining("cannot be written") });
    expect(existsSync(page)).toBe(false);
    expect((await faraday(["bench", "--html", folder])).stderr).toContain("cannot be written: it is a folder");
  });

  it("leaves a page as it was where nothing is measured", async () => {
    const page = join(folder, "earlier.html");
    writeFileSync(page, "earlier");
    const { exitCode } = await faraday(["bench", "--set", "model.checkpoint=/nowhere", "--html", page]);
    expect(exitCode).toBe(2);
    expect(readFileSync(page, "utf8")).toBe("earlier");
    expect(existsSync(`${page}.partial`)).toBe(false);
  });

  it("says what is wrong with the config as other commands do", async () => {
    const { exitCode, stderr } = await faraday(["bench", "--workers", "1", "--set", "train.groupSize=1"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("train.groupSize");
  });
});
