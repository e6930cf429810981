import type { TrainOptions } from "../config/train-options.ts";
import type { EpisodeSummary } from "../core/episode.ts";
import { deriveSeed, Random } from "../core/random.ts";
import { type Severity, severityRank } from "../core/syscall.ts";
import { chosenCount, type Trajectory } from "../core/trajectory.ts";
import { advantagesOf } from "../grpo/advantages.ts";
import { clippedSurrogate } from "../grpo/policy-loss.ts";
import type { GradientEngine } from "../model/gradient.ts";
import { Adam, clipByNorm } from "../model/optimiser.ts";
import type { FinishedBatch } from "./dispatch.ts";

/** A trajectory and the advantage that its tokens share. */
interface Sample {
  readonly trajectory: Trajectory;
  readonly oldLogProbabilities: Float64Array;
  readonly advantage: number;
}

export interface Update {
  /** One an episode, in the order of the batch; 0 for a failed one, which teaches nothing. */
  readonly advantages: readonly number[];
  readonly metrics: Readonly<Record<string, number>>;
}

/** The policy that is trained: its weights, and how a batch changes them. */
export class Learner {
  readonly weights: Float32Array;
  readonly #engine: GradientEngine;
  readonly #adam: Adam;
  readonly #options: TrainOptions;
  readonly #channels: "separate" | "scalar";

  constructor(options: {
    readonly weights: Float32Array;
    readonly engine: GradientEngine;
    readonly train: TrainOptions;
    readonly channels: "separate" | "scalar";
  }) {
    this.weights = options.weights.slice();
    this.#engine = options.engine;
    this.#adam = new Adam(this.weights.length);
    this.#options = options.train;
    this.#channels = options.channels;
  }

  /** One GRPO update (Shao et al. 2024): advantages within groups, then clipped steps over minibatches. */
  update(batch: FinishedBatch, iteration: number): Update {
    const advantages = this.#advantages(batch);
    const samples = batch.episodes.flatMap(({ trajectory }, index): Sample[] => {
      const advantage = advantages[index] as number;
      if (advantage === 0) return [];
      const oldLogProbabilities = Float64Array.from(
        trajectory.logProbabilities.filter((_, position) => trajectory.chosen[position] === 1),
      );
      return [{ trajectory, oldLogProbabilities, advantage }];
    });
    return { advantages, metrics: { ...this.#fit(samples, iteration), ...groupMetrics(batch, advantages) } };
  }

  #advantages({ episodes }: FinishedBatch): number[] {
    const { groupSize, costMultiplier, neverPositive } = this.#options;
    const advantages = episodes.map(() => 0);
    for (let start = 0; start < episodes.length; start += groupSize) {
      const members = Array.from({ length: groupSize }, (_, index) => start + index).filter(
        (index) => episodes[index]?.summary.outcome !== "failed",
      );
      const outcomes = members.map((index) => outcomeOf(episodes[index]?.summary as EpisodeSummary));
      const own = advantagesOf(outcomes, { channels: this.#channels, costMultiplier, neverPositive });
      members.forEach((index, place) => {
        advantages[index] = own[place] as number;
      });
    }
    return advantages;
  }

  #fit(samples: readonly Sample[], iteration: number): Record<string, number> {
    const { updatesPerBatch, minibatchEpisodes, seed, gradientClip, learningRate } = this.#options;
    const sums = { loss: 0, clipped: 0, klSum: 0, tokens: 0, gradNorm: 0, steps: 0 };
    const random = new Random(deriveSeed(seed, iteration));
    for (let pass = 0; pass < updatesPerBatch; pass++) {
      const order = random.shuffle(samples);
      for (let start = 0; start < order.length; start += minibatchEpisodes) {
        const gradient = this.#gradient(order.slice(start, start + minibatchEpisodes), sums);
        sums.gradNorm += clipByNorm(gradient, gradientClip);
        sums.steps++;
        this.#adam.step(this.weights, gradient, learningRate);
      }
    }
    if (sums.steps === 0) return {};
    return {
      loss: sums.loss / sums.tokens,
      clipFraction: sums.clipped / sums.tokens,
      approxKl: sums.klSum / sums.tokens,
      gradNorm: sums.gradNorm / sums.steps,
    };
  }

  /** Mean over the tokens of each episode, then over episodes (Shao et al. 2024, equation 3): long episodes weigh no more than short ones. */
  #gradient(
    samples: readonly Sample[],
    sums: { loss: number; clipped: number; klSum: number; tokens: number },
  ): Float32Array {
    sums.tokens += samples.reduce((sum, sample) => sum + sample.oldLogProbabilities.length, 0);
    const { clipRange } = this.#options;
    return this.#engine.gradient(
      this.weights,
      samples.map((sample) => sample.trajectory),
      (row, logProbabilities, derivative) => {
        const weight = 1 / (samples.length * logProbabilities.length);
        const options = { clipRange, weight, derivative };
        const figures = clippedSurrogate(logProbabilities, samples[row] as Sample, options);
        sums.loss += figures.loss;
        sums.clipped += figures.clipped;
        sums.klSum += figures.klSum;
      },
    );
  }
}

function outcomeOf({ reward, cost, scalarReward, violations }: EpisodeSummary) {
  return { reward, cost, scalarReward, worst: worstOf(violations.map((violation) => violation.severity)) };
}

function worstOf(severities: readonly Severity[]): Severity | null {
  return severities.reduce<Severity | null>(
    (worst, severity) => (worst === null || severityRank(severity) > severityRank(worst) ? severity : worst),
    null,
  );
}

function groupMetrics({ episodes }: FinishedBatch, advantages: readonly number[]): Record<string, number> {
  const groups = new Set(
    episodes.filter((_, index) => advantages[index] !== 0).map(({ summary }) => summary.key.group),
  );
  const tokens = episodes.reduce((sum, { trajectory }) => sum + chosenCount(trajectory), 0);
  const surprise = episodes.reduce(
    (sum, { trajectory }) => sum - trajectory.logProbabilities.reduce((total, value) => total + value, 0),
    0,
  );
  return {
    groupsUsed: groups.size,
    entropy: tokens === 0 ? 0 : surprise / tokens,
    violatorsWithPositiveAdvantage: episodes.filter(
      ({ summary }, index) => summary.violations.length > 0 && (advantages[index] as number) > 0,
    ).length,
  };
}
