import { expect, test } from "vitest";
import { trainOptions } from "../../src/config/train-options.ts";
import type { EpisodeSummary } from "../../src/core/episode.ts";
import { noFigures } from "../../src/grpo/policy-loss.ts";
import type { FinishedBatch } from "../../src/run/dispatch.ts";
import { Learner } from "../../src/run/learn.ts";
import { deletion, sampleEpisode } from "../store/samples.ts";

const trajectory = {
  tokens: Int32Array.of(1, 2),
  chosen: Uint8Array.of(0, 1),
  logProbabilities: Float32Array.of(0, -1),
};

/** Advantages of one group, in which all episodes cost nothing and the first earned most. */
async function advantages(first: Partial<EpisodeSummary>): Promise<readonly number[]> {
  const learner = new Learner({
    weights: Float32Array.of(0),
    source: {
      publish() {},
      gradients: async () => [{ gradient: Float32Array.of(0), figures: noFigures() }] as never,
    },
    train: trainOptions.parse({ groupSize: 2 }),
    channels: "separate",
  });
  const plain = { reward: 0, cost: 0, violations: [] };
  const summaries = [{ ...plain, reward: 1, ...first }, plain].map((change) => sampleEpisode({}, change));
  const episodes = summaries.map((summary) => ({ summary, trajectory, worker: 1, attempt: 1 }));
  return (await learner.update({ episodes, audit: [] } as unknown as FinishedBatch, 1)).advantages;
}

test("an episode with a violation never gets a positive advantage, unless the violation was only watched", async () => {
  expect((await advantages({}))[0]).toBeGreaterThan(0);
  expect((await advantages({ violations: [deletion] }))[0]).toBe(0);
  expect((await advantages({ violations: [{ ...deletion, type: "WARNED", penalty: 0 }] }))[0]).toBeGreaterThan(0);
});

test("nothing is learned from an episode that failed or is quarantined", async () => {
  for (const outcome of ["failed", "quarantined"] as const) expect(await advantages({ outcome })).toEqual([0, 0]);
});

test("a learner that takes over another's state goes on as that one would", async () => {
  const slope = { gradient: Float32Array.of(0.5), figures: noFigures() };
  const published: number[] = [];
  const counter = { count: 0, state: () => Float64Array.of(counter.count), restore: ([count]: Float64Array) => count };
  const make = () =>
    new Learner({
      weights: Float32Array.of(1),
      source: {
        publish: (weights) => published.push(weights[0] as number),
        gradients: async () => [slope] as never,
      },
      train: trainOptions.parse({ groupSize: 2 }),
      channels: "separate",
      others: { counter: counter as never },
    });
  const plain = { reward: 0, cost: 0, violations: [] };
  const episodes = [{ ...plain, reward: 1 }, plain].map((change) => ({
    ...{ summary: sampleEpisode({}, change), trajectory, worker: 1, attempt: 1 },
  }));
  const batch = { episodes, audit: [] } as unknown as FinishedBatch;
  const [one, other] = [make(), make()];
  await one.update(batch, 1);
  const state = structuredClone(one.state());
  await one.update(batch, 2);
  other.restore(state);
  expect(published.at(-1)).toBe(state.weights[0]);
  await other.update(batch, 2);
  expect(other.state()).toEqual(one.state());
  expect(other.state()).not.toEqual(state);
  expect(() => other.restore({ ...state, first: Float32Array.of(1, 2) })).toThrow("must be 1 numbers, got 2");
  expect(() => other.restore({ ...state, others: {} })).toThrow("must hold that of counter");
});

test("a gradient that is not of finite numbers is refused before it spoils the weights", async () => {
  const learner = new Learner({
    weights: Float32Array.of(1),
    source: {
      publish() {},
      gradients: async () => [{ gradient: Float32Array.of(Number.NaN), figures: noFigures() }] as never,
    },
    train: trainOptions.parse({ groupSize: 2 }),
    channels: "separate",
  });
  const rewards = [1, 0].map((reward) => sampleEpisode({}, { reward, cost: 0, violations: [] }));
  const episodes = rewards.map((summary) => ({ summary, trajectory, worker: 1, attempt: 1 }));
  const batch = { episodes, audit: [] } as unknown as FinishedBatch;
  await expect(learner.update(batch, 3)).rejects.toThrow(/^the gradient of iteration 3 is not of finite numbers/);
  expect([...learner.weights]).toEqual([1]);
});
