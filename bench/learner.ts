import { Random } from "../src/core/random.ts";
import { algorithmOf } from "../src/grpo/algorithm.ts";
import { policyLoss } from "../src/grpo/policy-loss.ts";
import { GradientEngine } from "../src/model/gradient.ts";
import { Adam, clipByNorm } from "../src/model/optimiser.ts";
import { bootHost, firstBatch, rollOut } from "./rolled-out-batch.ts";
import { shippedAgent } from "./shipped-agent.ts";
import type { FillBench } from "./suite.ts";

const episodes = 128;

/** One update from 128 sampled trajectories: gradient of the clipped surrogate, clipping, Adam. Padding is not counted as tokens. */
export const learner: FillBench = async (bench) => {
  const agent = await shippedAgent();
  const { temperature, gradientClip, learningRate } = agent.config.train;
  const { loss: settings } = algorithmOf(agent.config.train);
  const { architecture, weights: shipped } = agent.checkpoint;
  const batch = await rollOut(await bootHost(agent), firstBatch(agent, episodes));
  const trajectories = batch.episodes.map((episode) => episode.trajectory);
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
  return { [name]: { count, unit: "token" } };
};
