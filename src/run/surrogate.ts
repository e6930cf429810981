import { type TrajectoryColumns, trajectoryAt } from "../core/trajectory.ts";
import { clippedSurrogate, type PolicyLossFigures } from "../grpo/policy-loss.ts";
import type { GradientEngine } from "../model/gradient.ts";

/** Some episodes of a minibatch: one piece of its gradient, whoever computes it. */
export interface SurrogateShard {
  readonly trajectories: TrajectoryColumns;
  /** One a trajectory. */
  readonly advantages: Float64Array;
  /** Episodes of the whole minibatch. */
  readonly minibatchEpisodes: number;
  readonly clipRange: number;
}

export interface SurrogateGradient {
  /** Of the minibatch's loss, this shard's part: one number a weight. */
  readonly gradient: Float32Array;
  readonly figures: PolicyLossFigures;
}

/**
 * Gradient of the clipped surrogate: the mean over the tokens of each episode, then over the episodes of the minibatch (Shao et al. 2024,
 * equation 3), so that long episodes weigh no more than short ones.
 */
export function surrogateGradient(
  engine: GradientEngine,
  weights: Float32Array,
  { trajectories: columns, advantages, minibatchEpisodes, clipRange }: SurrogateShard,
): SurrogateGradient {
  const trajectories = Array.from(advantages, (_, index) => trajectoryAt(columns, index));
  const sampled = trajectories.map(({ chosen, logProbabilities }, index) => ({
    oldLogProbabilities: logProbabilities.filter((_, position) => chosen[position] === 1),
    advantage: advantages[index] as number,
  }));
  const figures = { loss: 0, clipped: 0, klSum: 0 };
  const gradient = engine.gradient(weights, trajectories, (row, logProbabilities, derivative) => {
    const weight = 1 / (minibatchEpisodes * logProbabilities.length);
    const own = clippedSurrogate(logProbabilities, sampled[row] as (typeof sampled)[number], {
      clipRange,
      weight,
      derivative,
    });
    figures.loss += own.loss;
    figures.clipped += own.clipped;
    figures.klSum += own.klSum;
  });
  return { gradient, figures };
}
