import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { quartilesOf } from "../../src/run/quartiles.ts";
import { measureThroughput } from "../../src/run/throughput.ts";
import { faraday } from "../commands/run-cli.ts";

const small = ["--set", "train.groupsPerBatch=2", "--set", "train.groupsPerTask=1"];

describe("faraday bench", () => {
  it("gives one document: machine, versions, and a row for each number of workers", async () => {
    const { stdout, exitCode } = await faraday(["bench", "--json", "--seconds", "1", "--workers", "1", ...small]);
    expect(exitCode).toBe(0);
    const { machine, versions, rows, rounds } = JSON.parse(stdout);
    expect(machine).toMatchObject({ cores: expect.any(Number), node: process.version });
    expect(versions["faraday-rl"]).toMatch(/^\d/);
    expect(rows).toHaveLength(1);
    const [row] = rows;
    expect(row).toMatchObject({ workload: "sql", workers: 1, governed: true, efficiency: 1 });
    expect(row.runs).toBeGreaterThanOrEqual(rounds);
    for (const rate of ["episodesPerSecond", "stepsPerSecond", "tokensPerSecond"]) {
      expect(row[rate]).toBe(row.spread[rate].median);
      expect(row.spread[rate].p25).toBeLessThanOrEqual(row[rate]);
      expect(row.spread[rate].p75).toBeGreaterThanOrEqual(row[rate]);
      expect(row[rate]).toBeGreaterThan(0);
    }
  });

  it.each([
    [["--workers", "0"], 'each of --workers must be 1..256, got "0"'],
    [["--workers", "1,"], 'each of --workers must be 1..256, got ""'],
    [["--workers", "auto"], 'each of --workers must be 1..256, got "auto"'],
    [["--workers", "200,100"], "--workers must add up to at most 256, since all are started at once, got 300"],
    [["--seconds", "0"], '--seconds must be 1..3600, got "0"'],
    [["--seconds", "1.5"], '--seconds must be 1..3600, got "1.5"'],
  ])("%j is refused before anything starts", async (args, message) => {
    expect(await faraday(["bench", ...args])).toEqual({ exitCode: 2, stdout: "", stderr: `faraday: ${message}\n` });
  });

  it("says what is wrong with the config as other commands do", async () => {
    const { exitCode, stderr } = await faraday(["bench", "--workers", "1", "--set", "train.groupSize=1"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("train.groupSize");
  });
});

it("an aborted measurement ends after the batch in hand, with its workers closed", async () => {
  const { config } = await loadConfig({ sets: ["train.groupsPerBatch=2"] });
  const stop = new AbortController();
  const told: string[] = [];
  const tell = (text: string) => {
    told.push(text);
    if (text.startsWith("round 1")) stop.abort(new Error("enough"));
  };
  const measuring = measureThroughput({ config, workerCounts: [1], seconds: 1, signal: stop.signal, tell });
  await expect(measuring).rejects.toThrow("the measurement was cancelled");
  expect(told.filter((text) => text.startsWith("round"))).toHaveLength(1);
});

it("quartiles lie between the order statistics", () => {
  expect(quartilesOf([4, 1, 3, 2, 5])).toEqual({ p25: 2, median: 3, p75: 4 });
  expect(quartilesOf([1, 2])).toEqual({ p25: 1.25, median: 1.5, p75: 1.75 });
  expect(quartilesOf([7])).toEqual({ p25: 7, median: 7, p75: 7 });
});
