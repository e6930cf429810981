import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Task } from "../../src/core/env.ts";
import type { EpisodeKey, EpisodeOutcome } from "../../src/core/episode.ts";
import { FaradayError } from "../../src/core/errors.ts";
import { type FinishedBatch, NothingCameBack, type RolledOut } from "../../src/run/dispatch.ts";
import { type GatherParts, gather } from "../../src/run/gather.ts";
import { type BatchPlan, Planner } from "../../src/run/plan.ts";
import { faraday } from "../commands/run-cli.ts";
import { type ChatterRun, chatterTrainer, runChatter, storedRun } from "./chatter.ts";

const sizes = { groupsPerBatch: 4, groupSize: 3 };
const tasks = Array.from({ length: 10 }, (_, index) => ({ id: `t${index}`, prompt: "", split: "train" })) as Task[];
const planner = new Planner(tasks, { ...sizes, seed: 1, groupsPerTask: 2, temperature: 1, evalTemperature: 1 });

type Play = (key: EpisodeKey) => { reward?: number; cost?: number; outcome?: EpisodeOutcome };

/** Gathers the second iteration from episodes that end as `play` says. */
async function gathered(options: Partial<GatherParts["train"]>, play: Play) {
  const plans: BatchPlan[] = [];
  const rollOut = async (plan: BatchPlan): Promise<FinishedBatch> => {
    plans.push(plan);
    const episodes = plan.tasks.flatMap(({ keys }) => keys.map((key) => rolledOut(key, play(key))));
    if (plans.length > 1 && episodes.every(({ summary }) => summary.outcome === "failed"))
      throw new NothingCameBack("all are dead", { episodes, audit: [] });
    return { episodes, audit: [] };
  };
  const train = { groupsPerBatch: sizes.groupsPerBatch, incompleteGroups: "mask" as const, ...options };
  const result = await gather(2, { planner, rollOut, train, channels: "separate" } as GatherParts);
  return { ...result, plans, episodes: result.batch.episodes };
}

function rolledOut(key: EpisodeKey, { reward = 0, cost = 0, outcome = "completed" }: ReturnType<Play>): RolledOut {
  const summary = { ...{ key, outcome, reward, cost, success: false, scalarReward: reward - cost }, stepCount: 1 };
  const trajectory = { tokens: new Int32Array(), chosen: new Uint8Array(), logProbabilities: new Float32Array() };
  return { summary: { ...summary, violations: [], oracle: null }, trajectory, worker: 1, attempt: 1 };
}

const idsOf = (episodes: readonly RolledOut[]) => episodes.map(({ summary }) => summary.key.id);
const groupsOf = (episodes: readonly RolledOut[]) => [...new Set(episodes.map(({ summary }) => summary.key.group))];
const spread: Play = ({ index }) => ({ reward: index % 2 });

describe("dynamic sampling", () => {
  it("adds nothing where every group has spread, in reward or in cost", async () => {
    const play: Play = ({ group, index }) => (group === 0 ? { cost: index } : spread({ index } as EpisodeKey));
    const { plans, episodes, metrics } = await gathered({ dynamicSampling: { refillsMax: 3 } }, play);
    expect(plans).toHaveLength(1);
    expect(episodes.some(({ leftOut }) => leftOut)).toBe(false);
    expect(metrics).toEqual({ groupsFiltered: 0, groupsRefilled: 0 });
  });

  it("fills the batch up with as many groups as have none, of tasks that the batch has not, and keeps all", async () => {
    const play: Play = (key) => (key.group === 1 || key.group === 4 ? { reward: 1 } : spread(key));
    const { plans, episodes, metrics } = await gathered({ dynamicSampling: { refillsMax: 3 } }, play);
    expect(plans.map((plan) => plan.tasks.flatMap(({ keys }) => keys).length)).toEqual([12, 3, 3]);
    expect(groupsOf(episodes)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(groupsOf(episodes.filter(({ leftOut }) => leftOut))).toEqual([1, 4]);
    expect(new Set(episodes.map(({ summary }) => summary.key.task)).size).toBe(6);
    expect(new Set(episodes.map(({ summary }) => summary.key.seed)).size).toBe(18);
    expect(metrics).toEqual({ groupsFiltered: 2, groupsRefilled: 2 });
  });

  it("ends at its bound, and then does with what it has", async () => {
    const { plans, episodes, metrics } = await gathered({ dynamicSampling: { refillsMax: 2 } }, () => ({ reward: 1 }));
    expect(plans).toHaveLength(3);
    expect(episodes).toHaveLength(3 * 12);
    expect(episodes.every(({ leftOut }) => leftOut)).toBe(true);
    expect(metrics).toEqual({ groupsFiltered: 12, groupsRefilled: 8 });
  });

  it("counts no failed episode as spread", async () => {
    const play: Play = (key) => (key.group === 2 && key.index > 0 ? { outcome: "failed" } : spread(key));
    const { metrics } = await gathered({ dynamicSampling: { refillsMax: 1 } }, play);
    expect(metrics).toEqual({ groupsFiltered: 1, groupsRefilled: 1 });
  });
});

describe("incomplete groups", () => {
  const lossy: Play = (key) => (key.group === 1 && key.index === 1 ? { outcome: "failed" } : spread(key));

  it("go without what failed where they are masked", async () => {
    const { plans, episodes, metrics } = await gathered({}, lossy);
    expect([plans.length, episodes.length, metrics]).toEqual([1, 12, {}]);
  });

  it.each(["failed", "killed", "quarantined"] as const)("get another episode for each that was %s", async (outcome) => {
    const play: Play = (key) => (key.group === 1 && key.index === 1 ? { outcome } : spread(key));
    const { plans, episodes, metrics } = await gathered({ incompleteGroups: "complete" }, play);
    expect(plans).toHaveLength(2);
    expect(idsOf(episodes.filter(({ summary }) => summary.key.group === 1))).toEqual(
      [0, 1, 2, 3].map((index) => `train-2-1-${index}`),
    );
    expect(idsOf(episodes.filter(({ leftOut }) => leftOut))).toEqual(["train-2-1-1"]);
    const [lost, other] = [1, 3].map((index) =>
      episodes.find(({ summary: { key } }) => key.group === 1 && key.index === index),
    );
    expect(other?.summary.key).toMatchObject({ task: lost?.summary.key.task, weights: 1 });
    expect(other?.summary.key.seed).not.toBe(lost?.summary.key.seed);
    expect(metrics).toEqual({ episodesReplaced: 1 });
  });

  it("stay incomplete where the others are lost too, twice", async () => {
    const play: Play = (key) => (key.group === 1 && key.index > 0 ? { outcome: "killed" } : spread(key));
    const { plans, episodes } = await gathered({ incompleteGroups: "complete" }, play);
    expect(plans).toHaveLength(3);
    expect(episodes.filter(({ summary }) => summary.key.group === 1)).toHaveLength(7);
  });

  it("stay incomplete where nothing comes back any more, and what was lost is kept", async () => {
    const { episodes, metrics } = await gathered({ incompleteGroups: "complete" }, ({ group, index }) =>
      group === 1 && index > 0 ? { outcome: "failed" } : { reward: index },
    );
    expect([episodes.length, metrics]).toEqual([12 + 2 + 2, { episodesReplaced: 4 }]);
  });

  it("end the run where what is rolled out in their stead says that it must end", async () => {
    const rollOut = async (plan: BatchPlan): Promise<FinishedBatch> => {
      const keys = plan.tasks.flatMap((task) => task.keys);
      if (keys.length === 1) throw new FaradayError("no worker boots");
      return {
        episodes: keys.map((key, index) => rolledOut(key, index === 0 ? { outcome: "failed" } : {})),
        audit: [],
      };
    };
    const train = { groupsPerBatch: sizes.groupsPerBatch, incompleteGroups: "complete" as const };
    const parts = { planner, rollOut, train, channels: "separate" } as GatherParts;
    await expect(gather(2, parts)).rejects.toThrow("no worker boots");
  });
});

describe("a run with both", () => {
  const train = { iterations: 2, groupSize: 2, temperature: 0.01, dynamicSampling: { refillsMax: 2 } };
  const options = { train: { ...train, incompleteGroups: "complete" as const }, fault: "throw" as const };
  const done = ({ worker: _, ...episode }: ChatterRun["episodes"][number]) => episode;
  const weightsOf = (out: string) => readFileSync(join(out, "checkpoints", "2", "model.safetensors"));

  it("stores all episodes, learns nothing from those left out, and is the same for any workers and after a stop", async () => {
    const one = await runChatter({ ...options, workers: 1 });
    const metrics = one.report.curve.map((point) => point.metrics);
    expect(metrics.some(({ groupsFiltered = 0, groupsRefilled = 0 }) => groupsFiltered > 0 && groupsRefilled > 0)).toBe(
      true,
    );
    expect(metrics.some(({ episodesReplaced = 0 }) => episodesReplaced > 0)).toBe(true);
    const trained = one.episodes.filter(({ key }) => key.phase === "train");
    expect(trained).toHaveLength(one.report.episodes);
    expect(trained.length).toBeGreaterThan(2 * 6 * 2);
    expect(trained.filter(({ outcome }) => outcome === "failed").every(({ advantage }) => advantage === 0)).toBe(true);
    expect(await faraday(["audit", "verify", one.out])).toMatchObject({ exitCode: 0 });

    const abort = new AbortController();
    const { trainer, out } = chatterTrainer({
      ...{ ...options, workers: 2, signal: abort.signal },
      onEvent: ({ type }) => type === "iteration-end" && abort.abort(),
    });
    expect(await trainer.train()).toMatchObject({ status: "cancelled", iterations: 2 });
    expect(await faraday(["train", "--resume", out])).toMatchObject({ exitCode: 0 });
    expect((await storedRun(out)).episodes.map(done)).toEqual(one.episodes.map(done));
    expect(weightsOf(out)).toEqual(weightsOf(one.out));
  });
});
