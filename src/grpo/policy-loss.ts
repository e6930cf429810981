/** How one token's term of the loss was clipped, and the estimates that are watched. */
export interface PolicyLossFigures {
  /** Sum of the token losses. */
  loss: number;
  /** Tokens whose ratio was clipped. */
  clipped: number;
  /** Sum of the k3 estimates of KL(old ‖ new) (Schulman 2020): r − 1 − log r, r = π / π_old. */
  klSum: number;
}

/** What was known of an episode's chosen tokens when they were sampled. */
export interface SampledTokens {
  /** Log-probabilities under the policy that sampled, one a chosen token. */
  readonly oldLogProbabilities: ArrayLike<number>;
  /** The episode's advantage; every token of it has the same. */
  readonly advantage: number;
}

/**
 * Clipped surrogate −min(r·A, clip(r, 1 − ε, 1 + ε)·A) (PPO, Schulman et al. 2017, equation 7), r = exp(log π − log π_old), summed
 * over an episode's tokens.
 * @param logProbabilities Log-probabilities of the chosen tokens under the policy that is trained.
 * @param derivative Receives ∂loss/∂log π, one a token, times `weight`.
 * @param weight Of each token in the whole loss, e.g. 1 / (tokens of the minibatch) for the token mean.
 */
export function clippedSurrogate(
  logProbabilities: Float64Array,
  { oldLogProbabilities, advantage }: SampledTokens,
  options: { readonly clipRange: number; readonly weight: number; readonly derivative: Float64Array },
): PolicyLossFigures {
  const { clipRange, weight, derivative } = options;
  const figures = { loss: 0, clipped: 0, klSum: 0 };
  for (let index = 0; index < logProbabilities.length; index++) {
    const logRatio = (logProbabilities[index] as number) - (oldLogProbabilities[index] as number);
    const ratio = Math.exp(logRatio);
    const bound = Math.min(Math.max(ratio, 1 - clipRange), 1 + clipRange);
    const isClipped = bound * advantage < ratio * advantage;
    figures.loss -= Math.min(ratio * advantage, bound * advantage);
    figures.klSum += ratio - 1 - logRatio;
    if (isClipped) figures.clipped++;
    derivative[index] = isClipped ? 0 : -ratio * advantage * weight;
  }
  return figures;
}
