import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { faraday } from "../commands/run-cli.ts";
import { chatterConfig, freshFolder, storedRun } from "./chatter.ts";

test("policies and resolvers of the user's own judge in every worker of a training run, and verify afterwards", async () => {
  const policy = fileURLToPath(new URL("custom-policy.ts", import.meta.url));
  const resolver = fileURLToPath(new URL("chatter-resolver.ts", import.meta.url));
  const config = chatterConfig({
    kernel: {
      policies: [{ type: "custom", module: policy, options: { max: 0 } }],
      resolver: { module: resolver },
    },
    workers: 2,
  });
  const out = join(freshFolder(), "run");
  const trained = await faraday(["train", config, "--out", out, "--json"]);
  expect([trained.exitCode, trained.stderr.includes("Error")]).toEqual([0, false]);
  const { episodes } = await storedRun(out);
  const governed = episodes.filter(({ key }) => key.phase !== "ungoverned");
  const steps = governed.flatMap(({ violations }) =>
    violations.map(({ step, type, penalty }) => ({ step, type, penalty })),
  );
  expect(steps.length).toBeGreaterThan(0);
  for (const { step, type, penalty } of steps)
    expect([type, penalty]).toEqual(step === 0 ? ["WARNED", 0] : ["BLOCKED", 1]);
  expect(new Set(governed.map(({ worker }) => worker)).size).toBe(2);
  expect((await faraday(["audit", "verify", out])).stdout).toContain("nothing was changed");
  expect(readFileSync(join(out, "config.json"), "utf8")).toContain("custom-policy.ts");
});
