import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../src/config/load-config.ts";
import { evaluate } from "../../src/run/evaluate.ts";
import { loadEnvironment } from "../../src/run/load-environment.ts";
import { Planner } from "../../src/run/plan.ts";
import { RolloutPool } from "../../src/run/rollout-pool.ts";
import { train } from "../../src/run/train.ts";
import { faraday } from "../commands/run-cli.ts";
import { chatterModule, chatterTrain, freshFolder } from "./chatter.ts";
import type { moods } from "./chatter-agent.ts";

const agentModule = fileURLToPath(new URL("chatter-agent.ts", import.meta.url));

async function config(mood: (typeof moods)[number], stepMs = 60_000) {
  const chosen = await resolveConfig({
    deadlines: { stepMs },
    env: { module: chatterModule },
    agent: { module: agentModule, mood },
    kernel: { policies: [{ type: "budget", syscalls: 1 }] },
    train: chatterTrain,
    workers: 2,
  });
  return chosen.config;
}

async function rollOut(mood: (typeof moods)[number], stepMs?: number, groupsPerBatch = chatterTrain.groupsPerBatch) {
  const chosen = await config(mood, stepMs);
  const environment = await loadEnvironment(chosen);
  await using pool = new RolloutPool(chosen, null, () => {});
  const plan = new Planner(environment.tasks, { ...chosen.train, groupsPerBatch }).training(1);
  const { episodes } = await pool.run(plan);
  return episodes.map(({ summary }) => summary);
}

describe("an agent of the user's", () => {
  it("acts in the workers under the kernel, whether it answers at once or after a while", async () => {
    const [plain, waits] = [await rollOut("plain"), await rollOut("waits")];
    expect(plain).toHaveLength(24);
    for (const summary of plain) {
      expect(summary).toMatchObject({ outcome: "completed", stepCount: 2 });
      expect(summary.violations).toMatchObject([{ policy: "budget", step: 1 }]);
    }
    expect(waits).toEqual(plain);
  });

  it.each([
    ["throws", "I would rather not"],
    ["rejects", "the line is dead"],
    ["broken", "no agent today"],
  ] as const)("that %s fails its episodes, and the blame is the agent's", async (mood, message) => {
    for (const summary of await rollOut(mood)) {
      expect(summary).toMatchObject({ outcome: "failed", error: { boundary: "agent", message } });
    }
  });

  it("that asks for what is no syscall is denied and recorded", async () => {
    for (const summary of await rollOut("rubbish")) {
      expect(summary.violations[0]).toMatchObject({ policy: "kernel", rule: "bad-arguments" });
    }
  });

  it("that never answers does not keep an episode that is killed", async () => {
    const chosen = await config("silent");
    const environment = await loadEnvironment(chosen);
    await using pool = new RolloutPool(chosen, null, () => {});
    const plan = new Planner(environment.tasks, { ...chosen.train, groupsPerBatch: 1 }).training(1);
    const running = pool.run(plan);
    for (const { id } of plan.tasks.flatMap(({ keys }) => keys)) pool.signal(id, "SIGKILL");
    const { episodes } = await running;
    expect(episodes.map(({ summary }) => summary.outcome)).toEqual(["killed", "killed", "killed", "killed"]);
  });

  it("that never answers times out, each episode alone", async () => {
    for (const summary of await rollOut("deaf", 500)) {
      const error = { boundary: "agent", message: "step: not done within its deadline of 500 ms; no syscall was made" };
      expect(summary).toMatchObject({ outcome: "timed-out", error });
    }
  });

  it("that loops without an end is ended with its worker, and the blame is the agent's", async () => {
    const episodes = await rollOut("loops", 2_000, 9);
    const looped = episodes.filter(({ key }) => key.task === "talk-0");
    const [first] = looped.filter(({ outcome }) => outcome === "timed-out");
    expect(first?.error).toMatchObject({
      boundary: "agent",
      message: expect.stringMatching(/^a worker failed: act: /),
    });
    expect(looped.every(({ outcome }) => outcome === "timed-out" || outcome === "quarantined")).toBe(true);
    const others = episodes.filter((episode) => !looped.includes(episode));
    expect(others.every(({ outcome }) => outcome === "completed")).toBe(true);
  });

  it("is measured, and cannot be trained", async () => {
    const { measure } = await evaluate({ config: await config("plain"), split: "test", kernel: true });
    expect(measure).toMatchObject({ episodes: 6, taskAccuracy: 1, violationRate: 1, undetectedRate: 0 });
    await expect(train({ config: await config("plain"), out: freshFolder() })).rejects.toThrow("agent must be absent");
  });

  it("is what faraday eval takes in place of a run, and is told what its options may be", async () => {
    const named = ["eval", "--set", `env={module: ${chatterModule}}`, "--json"];
    const { stdout } = await faraday([...named, "--set", `agent={module: ${agentModule}}`, "--episodes", "6"]);
    expect(JSON.parse(stdout)).toMatchObject({ episodes: 6, taskAccuracy: 1 });
    const unknown = await faraday([...named, "--set", `agent={module: ${agentModule}, mood: sad}`]);
    expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("agent.mood") });
  });
});
