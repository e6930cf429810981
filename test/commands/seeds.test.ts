import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { FinishedRun } from "../../src/run/study.ts";
import { chatterConfig, freshFolder } from "../run/chatter.ts";
import { faraday } from "./run-cli.ts";

const config = chatterConfig();

describe("train --seeds", () => {
  it("makes one run a seed, says their mean and interval, and goes on where runs are missing", async () => {
    const out = join(freshFolder(), "study");
    await faraday(["train", config, "--seeds", "1", "--out", out]);
    const kept = statSync(join(out, "study-seed1", "report.json")).mtimeMs;
    const { exitCode, stdout, stderr } = await faraday(["train", config, "--seeds", "1,2", "--out", out, "--json"]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain("seed1, 1 of 2, is in");
    expect(statSync(join(out, "study-seed1", "report.json")).mtimeMs).toBe(kept);
    expect(readdirSync(out)).toEqual(["study-seed1", "study-seed2"]);
    const { summary, runs, seeds, status } = JSON.parse(stdout);
    expect({ seeds, status }).toEqual({ seeds: [1, 2], status: "succeeded" });
    const accuracies = runs.map(({ report }: FinishedRun) => report.after?.taskAccuracy);
    expect(summary.after.taskAccuracy.values).toEqual(accuracies);
    expect(summary.after.taskAccuracy.mean).toBeCloseTo((accuracies[0] + accuracies[1]) / 2, 12);
    expect(summary.after.episodes).toBe(12);
    expect((await faraday(["train", config, "--seeds", "1,2", "--out", out])).stdout).toContain("over the seeds 1, 2;");

    const other = await faraday(["train", config, "--seeds", "1,2", "--out", out, "--set", "train.groupSize=3"]);
    expect(other).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("must go on with the config that it was begun with"),
    });
  }, 120_000);

  it.each([
    [["--seeds", "1,1"], "--seeds must differ, got 1 twice"],
    [["--seeds", "1,x"], 'each of --seeds must be 0..4294967295, got "x"'],
    [["--seeds", "1,2", "--seed", "3"], "--seeds cannot be together with --seed"],
  ])("%j is refused", async (options, message) => {
    const { exitCode, stderr } = await faraday(["train", config, ...options]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message) });
  });
});
