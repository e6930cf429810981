import { type Trajectory, type TrajectoryColumns, trajectoryAt } from "../core/trajectory.ts";
import type { LossSettings } from "../grpo/algorithm-options.ts";
import { noFigures, type PolicyLossFigures, policyLoss } from "../grpo/policy-loss.ts";
import type { GradientEngine, LossDerivative } from "../model/gradient.ts";

/** Some episodes of a minibatch: one piece of its gradient, whoever computes it. */
export interface SurrogateShard {
  readonly trajectories: TrajectoryColumns;
  /** One a trajectory, as are the weights. */
  readonly advantages: Float64Array;
  /** Of each token of a trajectory in the step's loss. */
  readonly weights: Float64Array;
  readonly loss: LossSettings;
  /** Weights of the policy that the loss measures divergence from, in shared memory. */
  readonly reference: Float32Array | undefined;
  /** Weights that the update began with, where tokens are of older ones still, in shared memory. */
  readonly proximal: Float32Array | undefined;
}

export interface SurrogateGradient {
  /** Of the step's loss, this shard's part: one number a weight. */
  readonly gradient: Float32Array;
  readonly figures: PolicyLossFigures;
}

/** Gradient of the policy's loss over whole episodes. The reference's log-probabilities are computed here, forward only. */
export function surrogateGradient(
  engine: GradientEngine,
  { weights, revision }: { readonly weights: Float32Array; readonly revision: number },
  shard: SurrogateShard,
): SurrogateGradient {
  const trajectories = Array.from(shard.advantages, (_, index) => trajectoryAt(shard.trajectories, index));
  const underWeights = (other: Float32Array | undefined) => other && engine.logProbabilities(other, trajectories);
  const reference = underWeights(shard.reference);
  const proximal = underWeights(shard.proximal);
  const old = trajectories.map(whenSampled);
  const figures = noFigures();
  const isEntropyRewarded = shard.loss.entropyCoefficient > 0;
  const derive: LossDerivative = (row, logProbabilities, derivative, entropy) => {
    const sampled = {
      oldLogProbabilities: old[row] as Float32Array,
      ...(proximal && { proximalLogProbabilities: proximal[row] as Float64Array }),
      ...(reference && { referenceLogProbabilities: reference[row] as Float64Array }),
      ...(entropy && { entropies: entropy.values }),
      advantage: shard.advantages[row] as number,
    };
    const weight = shard.weights[row] as number;
    entropy?.derivative.fill(-shard.loss.entropyCoefficient * weight);
    const own = policyLoss(logProbabilities, sampled, { settings: shard.loss, weight, derivative });
    figures.loss += own.loss;
    figures.clipped += own.clipped;
    figures.klSum += own.klSum;
    figures.referenceKlSum += own.referenceKlSum;
    figures.entropySum += own.entropySum;
  };
  const gradient = engine.gradient(weights, trajectories, derive, { entropy: isEntropyRewarded, revision });
  return { gradient, figures };
}

function whenSampled({ chosen, logProbabilities }: Trajectory): Float32Array {
  return logProbabilities.filter((_, position) => chosen[position] === 1);
}
