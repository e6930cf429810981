import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { chatterConfig, freshFolder } from "../run/chatter.ts";
import { faraday } from "./run-cli.ts";

const config = chatterConfig();

describe("train --seeds", () => {
  it("makes one run a seed, says their mean and interval, and goes on where runs are missing", async () => {
    const out = join(freshFolder(), "study");
    const whole = await faraday(["train", config, "--seeds", "1,2", "--out", out, "--json"]);
    expect(whole.exitCode).toBe(0);
    const { summary, runs, seeds, status } = JSON.parse(whole.stdout);
    expect({ seeds, status }).toEqual({ seeds: [1, 2], status: "succeeded" });
    expect(readdirSync(out)).toEqual(["study-seed1", "study-seed2"]);
    const accuracies = runs.map(
      ({ report }: { report: { after: { taskAccuracy: number } } }) => report.after.taskAccuracy,
    );
    expect(summary.after.taskAccuracy.values).toEqual(accuracies);
    expect(summary.after.taskAccuracy.mean).toBeCloseTo((accuracies[0] + accuracies[1]) / 2, 12);
    expect(summary.after.episodes).toBe(12);

    rmSync(join(out, "study-seed2", "report.json"));
    const kept = statSync(join(out, "study-seed1", "report.json")).mtimeMs;
    const again = await faraday(["train", config, "--seeds", "1,2", "--out", out]);
    expect(again.stderr).toContain("seed1 (1 of 2): is in");
    expect(again.stdout).toContain("mean over the seeds 1, 2");
    expect(statSync(join(out, "study-seed1", "report.json")).mtimeMs).toBe(kept);
    expect(readdirSync(out)).toEqual(["study-seed1", "study-seed2", "study-seed2-2"]);

    const other = await faraday(["train", config, "--seeds", "1,2", "--out", out, "--set", "train.groupSize=3"]);
    expect(other).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("holds a run under another config") });
  });

  it.each([
    [["--seeds", "1,1"], "--seeds must differ, got 1 twice"],
    [["--seeds", "1,x"], 'each of --seeds must be 0..4294967295, got "x"'],
    [["--seeds", "1,2", "--seed", "3"], "--seeds cannot be together with --seed"],
  ])("%j is refused", async (options, message) => {
    const { exitCode, stderr } = await faraday(["train", config, ...options]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message) });
  });
});
