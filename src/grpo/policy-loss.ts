import type { LossSettings } from "./algorithm-options.ts";
import { divergence } from "./divergence.ts";
import { tokenLoss } from "./token-loss.ts";

/** What the losses of some episodes come to, and the estimates that are watched. */
export interface PolicyLossFigures {
  /** Sum of the tokens' losses, each by its weight in the step. */
  loss: number;
  /** Tokens whose ratio was clipped: they do not move the policy, or less than they would (CISPO). */
  clipped: number;
  /** Sum of the k3 estimates of KL(old ‖ new) (Schulman 2020): r − 1 − log r, r = π / π_old. */
  klSum: number;
  /** Sum of the estimates of KL(new ‖ reference), where there is one. */
  referenceKlSum: number;
  /** Sum of the entropies of what the tokens were chosen from, where they are rewarded. */
  entropySum: number;
}

export function noFigures(): PolicyLossFigures {
  return { loss: 0, clipped: 0, klSum: 0, referenceKlSum: 0, entropySum: 0 };
}

/** What is known of an episode's chosen tokens besides what the policy that is trained thinks of them. */
export interface SampledTokens {
  /** Log-probabilities under the policy that sampled, one a chosen token. */
  readonly oldLogProbabilities: ArrayLike<number>;
  /** Log-probabilities under the weights that the update began with, where the old ones are of older weights still. */
  readonly proximalLogProbabilities?: ArrayLike<number>;
  /** Log-probabilities under the reference; where they are missing there is no divergence. */
  readonly referenceLogProbabilities?: ArrayLike<number>;
  /** Entropies of the distributions that the policy that is trained chooses from; where they are missing none is rewarded. */
  readonly entropies?: ArrayLike<number>;
  /** The episode's advantage; every token of it has the same. */
  readonly advantage: number;
}

/**
 * Loss of an episode's tokens: the policy's term, by its type, plus the divergence from the reference, less the entropy. By each entropy, the
 * derivative is −`entropyCoefficient` · weight.
 * @param logProbabilities Log-probabilities of the chosen tokens under the policy that is trained.
 * @param derivative Receives ∂loss/∂log π, one a token.
 * @param weight Of each token in the step's loss, see {@link tokenWeight}.
 */
export function policyLoss(
  logProbabilities: Float64Array,
  sampled: SampledTokens,
  options: { readonly settings: LossSettings; readonly weight: number; readonly derivative: Float64Array },
): PolicyLossFigures {
  const { settings, weight, derivative } = options;
  const { proximalLogProbabilities, referenceLogProbabilities, advantage } = sampled;
  const start = proximalLogProbabilities ?? sampled.oldLogProbabilities;
  const sequence = settings.ratio === "sequence" ? meanLogRatio(logProbabilities, start) : null;
  const sequenceSince = sequence === null ? null : meanLogRatio(start, sampled.oldLogProbabilities);
  const figures = noFigures();
  const term = { value: 0, slope: 0, isClipped: false };
  for (let index = 0; index < logProbabilities.length; index++) {
    const value = logProbabilities[index] as number;
    const own = value - (start[index] as number);
    tokenLoss(term, { logRatio: sequence ?? own, logProbability: value, advantage }, settings);
    if (settings.importanceCap !== null && proximalLogProbabilities !== undefined) {
      const since = (proximalLogProbabilities[index] as number) - (sampled.oldLogProbabilities[index] as number);
      const factor = importance(sequenceSince ?? since, settings.importanceCap);
      term.value *= factor;
      term.slope *= factor;
    }
    if (referenceLogProbabilities !== undefined) {
      const apart = divergence(value - (referenceLogProbabilities[index] as number), settings.klEstimator);
      figures.referenceKlSum += apart.value;
      term.value += settings.klCoefficient * apart.value;
      term.slope += settings.klCoefficient * apart.slope;
    }
    if (sampled.entropies !== undefined) {
      const entropy = sampled.entropies[index] as number;
      figures.entropySum += entropy;
      term.value -= settings.entropyCoefficient * entropy;
    }
    figures.loss += term.value * weight;
    figures.klSum += Math.exp(own) - 1 - own;
    if (term.isClipped) figures.clipped++;
    derivative[index] = term.slope * weight;
  }
  return figures;
}

/** Log of the geometric mean of the ratios (GSPO, Zheng et al. 2025). */
function meanLogRatio(logProbabilities: ArrayLike<number>, old: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < old.length; index++) sum += (logProbabilities[index] as number) - (old[index] as number);
  return sum / Math.max(1, old.length);
}

/**
 * min(π_start / π_sampled, cap): truncated importance weight (Espeholt et al. 2018; TIS, Yao et al. 2025). With a sequence's ratio it is the
 * sequence's too, since tokens of different weight would no longer add to the slope of their common ratio.
 */
function importance(logRatio: number, cap: number): number {
  return Math.min(cap, Math.exp(logRatio));
}

/** What the weights of an episode's tokens depend on: the episode, its minibatch, and the step that minibatches accumulate to. */
export interface StepSize {
  /** Chosen tokens of the episode. */
  readonly tokens: number;
  /** Chosen tokens of the minibatch. */
  readonly minibatchTokens: number;
  readonly stepMinibatches: number;
  readonly stepTokens: number;
  readonly stepEpisodes: number;
}

/**
 * Weight of each token of an episode in the loss of a step. `sequence`: mean over the episode's tokens, then over the episodes (Shao et al. 2024,
 * equation 3); `token`: mean over the minibatch's tokens, then over minibatches; `dapo`: mean over the step's tokens (DAPO, Yu et al.
 * 2025); `dr_grpo`: sum over the episode's tokens by a constant, then the mean over the episodes (Liu et al. 2025).
 */
export function tokenWeight(size: StepSize, { aggregation, divisor }: LossSettings): number {
  switch (aggregation) {
    case "sequence":
      return 1 / (size.stepEpisodes * size.tokens);
    case "token":
      return 1 / (size.stepMinibatches * size.minibatchTokens);
    case "dapo":
      return 1 / size.stepTokens;
    case "dr_grpo":
      return 1 / (size.stepEpisodes * divisor);
    default:
      return aggregation satisfies never;
  }
}
