import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import type { Task } from "../../src/core/env.ts";
import type { EpisodeRecord } from "../../src/core/episode.ts";
import { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { AgentOSRunner } from "../../src/runner/agent-os-runner.ts";
import { PolicyReward } from "../../src/runner/policy-reward.ts";

const file = fileURLToPath(new URL("../../docs/examples/my-env.yaml", import.meta.url));
const { config, environment } = await loadConfig({ file });
const heating = await environment.definition.load(environment.options, { baseDir: config.baseDir });

describe("the example of a user's own environment", () => {
  test("has unique prompts, all demonstrated, for training and for the test", () => {
    expect(new Set(heating.tasks.map((task) => task.prompt)).size).toBe(heating.tasks.length);
    expect(new Set(heating.tasks.map((task) => task.split))).toEqual(new Set(["train", "test"]));
    expect(heating.tasks.every((task) => task.demo !== undefined)).toBe(true);
  });

  test("its demonstrations succeed, unless they take more syscalls than are permitted", async () => {
    const outcomes = new Set<string>();
    for (const task of heating.tasks) {
      const { success, violations } = await play(task, task.demo ?? []);
      const permitted = (task.demo?.length ?? 0) <= 2;
      expect({ task: task.id, success, clean: violations.length === 0 }).toEqual({
        task: task.id,
        success: permitted,
        clean: permitted,
      });
      outcomes.add(success ? "done" : violations.map(({ policy }) => policy).join());
    }
    expect(outcomes).toEqual(new Set(["done", "budget", "budget,budget"]));
  });

  test("whatever the policy model writes, the episode does not break", async () => {
    const [task] = heating.tasks;
    for (const action of ["", "set", "set cellar 20", "explode", "set kitchen warm", "\u0000 . ."]) {
      const episode = await play(task as Task, [action]);
      expect({ action, outcome: episode.outcome, success: episode.success }).toEqual({
        action,
        outcome: "completed",
        success: false,
      });
    }
  });
});

async function play(task: Task, actions: readonly string[]): Promise<EpisodeRecord> {
  using kernel = new KernelSpace(config.kernel);
  await kernel.boot();
  const episode = new AgentOSRunner(kernel, config.runner).begin({
    environment: heating,
    task,
    reward: new PolicyReward(kernel, config.reward),
    key: {
      id: "eval-0-0-0",
      phase: "eval",
      iteration: 0,
      group: 0,
      index: 0,
      task: task.id,
      split: task.split,
      seed: 1,
      weights: 0,
    },
  });
  for (const action of actions) if (!episode.done) await episode.actText(action);
  return episode.finish();
}
