import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type BenchReport, benchParts, rates } from "../../src/report/bench-report.ts";
import { faraday } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "faraday-test-bench-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const small = ["--seconds", "1", "--set", "train.groupsPerBatch=4", "--set", "train.groupsPerTask=2"];
const smaller = [...small, "--set", "train.groupSize=2"];

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

  it("says where the time of each thread went, in shares, and how long episodes and decisions took", async () => {
    const { rows } = await benchOf(["--workload", "sql-scripted", "--workers", "1", "--store", "none", ...smaller]);
    const [pool, single] = rows;
    expect(single).toMatchObject({ runner: "single-thread", workers: 0, stored: false, efficiency: null });
    expect(pool?.threads.map(({ thread }) => thread)).toEqual(["main", "workers"]);
    expect(single?.threads.map(({ thread }) => thread)).toEqual(["main"]);
    for (const { parts } of rows.flatMap(({ threads }) => threads)) {
      expect(Object.keys(parts)).toEqual([...benchParts]);
      expect(Object.values(parts).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6);
    }
    const { episode, decision } = pool?.latency ?? {};
    expect(episode?.p50).toBeGreaterThan(decision?.p50 ?? 0);
    expect(episode?.p99).toBeGreaterThanOrEqual(episode?.p95 ?? 0);
    expect(single?.latency).toBeNull();
  });

  it("measures several workloads, with the kernel and without, and sets the rows against each other", async () => {
    const page = join(folder, "bench.html");
    const args = ["--workload", "echo-spans,control", "--workers", "1,2", "--governed", "both", "--html", page];
    const { rows, ratios, scaling } = await benchOf([...args, ...smaller]);
    const lanes = rows.map(({ workload, runner, workers, governed }) => `${workload} ${runner} ${workers} ${governed}`);
    expect(lanes).toEqual([
      ...["echo-spans faraday 1 true", "echo-spans faraday 2 true"],
      ...["echo-spans faraday 1 false", "echo-spans faraday 2 false", "echo-spans piscina 2 false"],
      ...["control faraday 1 true", "control faraday 2 true", "control faraday 1 false", "control faraday 2 false"],
    ]);
    const spans = rows[0];
    expect(spans?.stepsPerSecond).toBeCloseTo(4 * (spans?.episodesPerSecond ?? 0), 3);
    const named = ratios.map(({ workload, what }) => `${workload}: ${what}`);
    expect(named).toContain("echo-spans: workers 2 / bare piscina tasks");
    expect(named).toContain("control: workers 2 / the same ungoverned");
    expect(named).toContain("control: workers 2 / worker 1");
    expect(scaling.map(({ workload, governed }) => `${workload} ${governed}`)).toEqual([
      ...["echo-spans true", "echo-spans false", "control true", "control false"],
    ]);
    const text = readFileSync(page, "utf8");
    expect(text).toContain("A projection for machines with more cores, not a measurement");
    expect(text).not.toMatch(/<script|https?:/);
  });

  it("has agents that wait wait side by side", async () => {
    const set = ["--set", "agent.minMs=200", "--set", "agent.maxMs=200", "--set", "train.groupsPerTask=1"];
    const { rows } = await benchOf(["--workload", "wait", "--workers", "1", "--store", "none", ...small, ...set]);
    // One after the other, a second has five.
    expect(rows[0]?.episodesPerSecond).toBeGreaterThan(10);
  });

  it("measures a config of the user's", async () => {
    const file = new URL("../../envs/echo/default.yaml", import.meta.url).pathname;
    const { rows, ratios } = await benchOf([file, "--workers", "1", ...smaller]);
    expect(rows).toMatchObject([{ workload: "default", runner: "faraday", workers: 1 }]);
    expect(ratios).toEqual([]);
  });

  it("prints rows, times, ratios and the projection as tables, progress on stderr", async () => {
    const args = ["bench", "--workload", "echo", "--workers", "1,2", ...smaller];
    const { stdout, stderr, exitCode } = await faraday(args);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/echo +workers 2 +[\d.,]+ /);
    expect(stdout).toMatch(/echo +piscina, workers 2/);
    expect(stdout).toContain("projected, not measured: 8 cores");
    expect(stderr).toContain("echo: round 5 of 5, workers 2:");
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
  });

  it("says what is wrong with the config as other commands do", async () => {
    const { exitCode, stderr } = await faraday(["bench", "--workers", "1", "--set", "train.groupSize=1"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("train.groupSize");
  });
});

async function benchOf(args: readonly string[]): Promise<BenchReport> {
  const { stdout, stderr, exitCode } = await faraday(["bench", "--json", ...args]);
  if (exitCode !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}
