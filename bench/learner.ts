import { Random } from "../src/core/random.ts";
import { algorithmOf } from "../src/grpo/algorithm.ts";
import { policyLoss } from "../src/grpo/policy-loss.ts";
import { GradientEngine } from "../src/model/gradient.ts";
import { Adam, clipByNorm } from "../src/model/optimiser.ts";
import type { FinishedBatch } from "../src/run/dispatch.ts";
import { Learner } from "../src/run/learn.ts";
import { RolloutPool } from "../src/run/rollout-pool.ts";
import { bootHost, firstBatch, rollOut } from "./rolled-out-batch.ts";
import { type ShippedAgent, shippedAgent } from "./shipped-agent.ts";
import type { Amount, FillBench } from "./suite.ts";

const episodes = 128;
const workerCounts = [1, 2];

/**
 * One update from sampled trajectories: gradient of the clipped surrogate, clipping, Adam. In one thread, and as training does it, with
 * minibatches of 32 spread over workers.
 */
export const learner: FillBench = async (bench, resources) => {
  const agent = await shippedAgent();
  const { temperature, gradientClip, learningRate } = agent.config.train;
  const { loss: settings } = algorithmOf(agent.config.train);
  const { architecture, weights: shipped } = agent.checkpoint;
  const batch = await rollOut(await bootHost(agent), firstBatch(agent, 2 * episodes));
  const trajectories = batch.episodes.slice(0, episodes).map((episode) => episode.trajectory);
  const random = new Random(1);
  const samples = trajectories.map(({ logProbabilities, chosen }) => ({
    oldLogProbabilities: Float64Array.from(logProbabilities.filter((_, position) => chosen[position] === 1)),
    advantage: random.next() * 2 - 1,
  }));
  const chosen = samples.reduce((sum, sample) => sum + sample.oldLogProbabilities.length, 0);
  const engine = new GradientEngine(architecture, { temperature });
  const weights = shipped.slice();
  const adam = new Adam(weights.length);
  const step = () => {
    const gradient = engine.gradient(weights, trajectories, (row, logProbabilities, derivative) => {
      const sample = samples[row];
      if (sample === undefined) throw new Error(`no sample ${row}`);
      policyLoss(logProbabilities, sample, { settings, weight: 1 / chosen, derivative });
    });
    clipByNorm(gradient, gradientClip);
    adam.step(weights, gradient, learningRate);
  };
  const name = `update from ${episodes} trajectories`;
  bench.add(name, step, { async: false });
  const count = trajectories.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const amounts: Record<string, Amount> = { [name]: { count, unit: "token" } };
  for (const workers of workerCounts) {
    const pool = resources.use(
      new RolloutPool({ ...agent.config, workers }, agent.checkpoint, ({ reason }) => {
        throw new Error(reason);
      }),
    );
    const spread = `training's update from ${2 * episodes} trajectories, workers: ${workers}`;
    Object.assign(amounts, { [spread]: await addUpdate(bench, { name: spread, agent, pool, batch }) });
  }
  return amounts;
};

/** A whole update of a learner, every episode of it with an advantage. */
async function addUpdate(
  bench: Parameters<FillBench>[0],
  parts: {
    readonly name: string;
    readonly agent: ShippedAgent;
    readonly pool: RolloutPool;
    readonly batch: FinishedBatch;
  },
): Promise<Amount> {
  const { name, agent, pool } = parts;
  const { train, reward } = agent.config;
  const batch = {
    ...parts.batch,
    episodes: parts.batch.episodes.map((episode, index) => ({
      ...episode,
      summary: { ...episode.summary, reward: index % 2, cost: 0, violations: [] },
    })),
  };
  const source = new Learner({
    ...{ weights: agent.checkpoint.weights, source: pool, train, channels: reward.channels },
  });
  // Boots the workers.
  await source.update(batch, 1);
  bench.add(name, () => source.update(batch, 1), { async: true });
  const tokens = batch.episodes.reduce((sum, { trajectory }) => sum + trajectory.tokens.length, 0);
  return { count: tokens, unit: "token" };
}
