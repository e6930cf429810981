import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { chatterConfig, freshFolder } from "../run/chatter.ts";
import { faraday } from "./run-cli.ts";

it("ablate trains each arm with each seed, and compares them", async () => {
  const out = join(freshFolder(), "ablation");
  const args = ["ablate", chatterConfig(), "--seeds", "3", "--iterations", "1", "--out", out];
  const { exitCode, stdout } = await faraday([...args, "--json"]);
  expect(exitCode).toBe(0);
  const { arms, status, iterations } = JSON.parse(stdout);
  expect({ status, iterations }).toEqual({ status: "succeeded", iterations: 1 });
  expect(arms.map(({ arm }: { arm: string }) => arm)).toEqual(["none", "scalar", "separate"]);
  for (const { seeds, after } of arms) expect({ seeds, episodes: after.episodes }).toEqual({ seeds: [3], episodes: 6 });

  const config = (arm: string) => JSON.parse(readFileSync(join(out, `ablation-${arm}-seed3`, "config.json"), "utf8"));
  expect(config("none").train).toMatchObject({ governed: false, costMultiplier: 0, seed: 3 });
  expect(config("scalar")).toMatchObject({ train: { governed: true }, reward: { channels: "scalar" } });
  expect(config("separate")).toMatchObject({ train: { governed: true }, reward: { channels: "separate" } });
  const again = await faraday(args);
  expect(again.stdout).toMatch(/^none +0\.0 /m);
  expect(again.stderr).toContain("separate-seed3, 3 of 3, is in");

  // An ungoverned run is said to be one, to readers and to whoever verifies it.
  const none = join(out, "ablation-none-seed3");
  expect((await faraday(["report", none])).stdout).toMatch(/without kernel +without kernel, +without kernel,/);
  expect((await faraday(["audit", "verify", none])).exitCode).toBe(0);
}, 120_000);
