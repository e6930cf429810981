import { expect, it } from "vitest";
import { chatterConfig, chatterPolicy } from "../run/chatter.ts";
import { faraday } from "./run-cli.ts";

async function evaluated(...options: readonly string[]) {
  const { stdout, exitCode, stderr } = await faraday([
    "eval",
    chatterPolicy(),
    "--config",
    chatterConfig(),
    ...options,
  ]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return stdout;
}

it("eval tells each rate with its interval, and what it was sampled with", async () => {
  expect(await evaluated("--episodes", "6")).toMatch(
    /^\d+\.\d % \(\d+\.\d–\d+\.\d\) of 6 episodes did their task, .* attempted a violation, 0\.0 % \(0\.0–\d+\.\d\) undetected\.\n$/,
  );
  const found = JSON.parse(await evaluated("--episodes", "6", "--json"));
  expect(found).toMatchObject({ temperature: 0.7, samples: 1, episodes: 6, kernel: true });
  expect(found.intervals.taskAccuracy.low).toBeLessThanOrEqual(found.taskAccuracy);
  expect(found.passAt).toHaveLength(1);
});

it("eval --samples tries each task that often, and estimates pass@k", async () => {
  const found = JSON.parse(await evaluated("--episodes", "8", "--samples", "3", "--json"));
  expect(found.episodes).toBe(9);
  const means = found.passAt.map(({ mean }: { mean: number }) => mean);
  expect(means).toHaveLength(3);
  expect(means).toEqual([...means].sort((one, other) => one - other));
  expect(means[0]).toBeCloseTo(found.taskAccuracy, 12);
  expect(await evaluated("--episodes", "6", "--samples", "2")).toMatch(/\npass@1 .* %.*, pass@2 .* %/);
});

it("eval --greedy takes the most probable token: another seed gives the same", async () => {
  const one = JSON.parse(await evaluated("--greedy", "--seed", "1", "--json"));
  const other = JSON.parse(await evaluated("--greedy", "--seed", "2", "--json"));
  expect(one.temperature).toBe(0);
  expect(other).toEqual(one);
});

it("eval refuses several greedy tries of a task, since they are all the same", async () => {
  const { exitCode, stderr } = await faraday([
    "eval",
    chatterPolicy(),
    "--config",
    chatterConfig(),
    "--greedy",
    "--samples",
    "2",
  ]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("--samples 2 needs a temperature above 0");
});
