import type { TrainOptions } from "../config/train-options.ts";
import type { EpisodeOutcome, EpisodeSummary } from "../core/episode.ts";
import { InputError } from "../core/errors.ts";
import { deriveSeed, Random } from "../core/random.ts";
import { isPenalised, type Severity, severityRank } from "../core/syscall.ts";
import { chosenCount, packTrajectories, type Trajectory } from "../core/trajectory.ts";
import { advantagesOf } from "../grpo/advantages.ts";
import { CostMultiplier } from "../grpo/constraint-multiplier.ts";
import type { PolicyLossFigures } from "../grpo/policy-loss.ts";
import { cutIntoShards, defaultShardRows } from "../model/gradient.ts";
import { Adam, clipByNorm } from "../model/optimiser.ts";
import type { FinishedBatch } from "./dispatch.ts";
import type { SurrogateGradient, SurrogateShard } from "./surrogate.ts";

/** A trajectory and the advantage that its tokens share. */
interface Sample {
  readonly trajectory: Trajectory;
  readonly advantage: number;
}

/** Whoever computes gradients: under the weights that were published last. */
export interface GradientSource {
  publish(weights: Float32Array): void;
  /** In the order of the shards. */
  gradients(shards: readonly SurrogateShard[]): Promise<readonly SurrogateGradient[]>;
}

export interface Update {
  /** One an episode, in the order of the batch; 0 for one that failed or is quarantined, which teaches nothing. */
  readonly advantages: readonly number[];
  readonly metrics: Readonly<Record<string, number>>;
}

/** What adapts beside the weights, such as a constraint's multiplier. Its owner says what the numbers mean. */
export interface Stateful {
  state(): Float64Array;
  restore(state: Float64Array): void;
}

/** All that the next update depends on, besides the batch and the options. Arrays are copies. */
export interface LearnerState {
  readonly weights: Float32Array;
  /** Adam's moments, one number a weight each. */
  readonly first: Float32Array;
  readonly second: Float32Array;
  /** Steps that Adam has taken. */
  readonly stepCount: number;
  /** Of each {@link Stateful} by its name. */
  readonly others: Readonly<Record<string, Float64Array>>;
}

/** The policy that is trained: its weights, and how a batch changes them. */
export class Learner {
  readonly weights: Float32Array;
  readonly #source: GradientSource;
  readonly #adam: Adam;
  readonly #options: TrainOptions;
  readonly #channels: "separate" | "scalar";
  readonly #costMultiplier: CostMultiplier;
  readonly #others: Readonly<Record<string, Stateful>>;

  constructor(options: {
    readonly weights: Float32Array;
    readonly source: GradientSource;
    readonly train: TrainOptions;
    readonly channels: "separate" | "scalar";
    /** Kept in the state by these names. */
    readonly others?: Readonly<Record<string, Stateful>>;
  }) {
    this.weights = options.weights.slice();
    this.#source = options.source;
    this.#adam = new Adam(this.weights.length);
    this.#options = options.train;
    this.#channels = options.channels;
    this.#costMultiplier = new CostMultiplier(options.train.costMultiplier, options.train.constraint);
    this.#others = { ...options.others, costMultiplier: this.#costMultiplier };
  }

  state(): LearnerState {
    const others = Object.entries(this.#others).map(([name, other]) => [name, other.state()] as const);
    return {
      weights: this.weights.slice(),
      first: this.#adam.first.slice(),
      second: this.#adam.second.slice(),
      stepCount: this.#adam.stepCount,
      others: Object.fromEntries(others),
    };
  }

  /**
   * Goes on as the learner would whose state it is, and publishes its weights.
   * @throws InputError if the state is of another model, or lacks one of the others' states.
   */
  restore(state: LearnerState): void {
    for (const part of ["weights", "first", "second"] as const) {
      const [expected, got] = [this.weights.length, state[part].length];
      if (got !== expected) throw new InputError(`the learner's ${part} must be ${expected} numbers, got ${got}`);
    }
    for (const [name, other] of Object.entries(this.#others)) {
      const own = state.others[name];
      if (own === undefined) throw new InputError(`the learner's state must hold that of ${name}`);
      other.restore(own);
    }
    this.weights.set(state.weights);
    this.#adam.first.set(state.first);
    this.#adam.second.set(state.second);
    this.#adam.stepCount = state.stepCount;
    this.#source.publish(this.weights);
  }

  /** One GRPO update (Shao et al. 2024): advantages within groups, then clipped steps over minibatches. */
  async update(batch: FinishedBatch, iteration: number): Promise<Update> {
    const costMultiplier = this.#costMultiplier.after(violatedOf(batch));
    const advantages = this.#advantages(batch, costMultiplier);
    const samples = batch.episodes.flatMap(({ trajectory }, index): Sample[] => {
      const advantage = advantages[index] as number;
      if (advantage === 0) return [];
      return [{ trajectory, advantage }];
    });
    const figures = { ...(await this.#fit(samples, iteration)), ...groupMetrics(batch, advantages) };
    return { advantages, metrics: this.#channels === "scalar" ? figures : { ...figures, costMultiplier } };
  }

  #advantages({ episodes }: FinishedBatch, costMultiplier: number): number[] {
    const { groupSize, neverPositive } = this.#options;
    const advantages = episodes.map(() => 0);
    for (let start = 0; start < episodes.length; start += groupSize) {
      const members = Array.from({ length: groupSize }, (_, index) => start + index).filter((index) =>
        teaches(episodes[index]?.summary.outcome),
      );
      const outcomes = members.map((index) => outcomeOf(episodes[index]?.summary as EpisodeSummary));
      const own = advantagesOf(outcomes, { channels: this.#channels, costMultiplier, neverPositive });
      members.forEach((index, place) => {
        advantages[index] = own[place] as number;
      });
    }
    return advantages;
  }

  async #fit(samples: readonly Sample[], iteration: number): Promise<Record<string, number>> {
    const { updatesPerBatch, minibatchEpisodes, seed, gradientClip } = this.#options;
    const learningRate = learningRateAt(iteration, this.#options);
    const sums = { loss: 0, clipped: 0, klSum: 0, tokens: 0, gradNorm: 0, steps: 0 };
    const random = new Random(deriveSeed(seed, iteration));
    for (let pass = 0; pass < updatesPerBatch; pass++) {
      const order = random.shuffle(samples);
      for (let start = 0; start < order.length; start += minibatchEpisodes) {
        const minibatch = order.slice(start, start + minibatchEpisodes);
        const gradient = await this.#gradient(minibatch, sums);
        sums.tokens += minibatch.reduce((sum, { trajectory }) => sum + chosenCount(trajectory), 0);
        sums.gradNorm += clipByNorm(gradient, gradientClip);
        sums.steps++;
        this.#adam.step(this.weights, gradient, learningRate);
        this.#source.publish(this.weights);
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

  /** Shards are cut and added in an order that the samples alone decide, so that the sum does not depend on who computed them. */
  async #gradient(samples: readonly Sample[], sums: PolicyLossFigures): Promise<Float32Array> {
    const trajectories = samples.map((sample) => sample.trajectory);
    const shards = cutIntoShards(trajectories, defaultShardRows).map((rows) => ({
      trajectories: packTrajectories(rows.map((row) => trajectories[row] as Trajectory)),
      advantages: Float64Array.from(rows, (row) => (samples[row] as Sample).advantage),
      minibatchEpisodes: samples.length,
      clipRange: this.#options.clipRange,
    }));
    const total = new Float32Array(this.weights.length);
    for (const { gradient, figures } of await this.#source.gradients(shards)) {
      for (let index = 0; index < total.length; index++)
        total[index] = (total[index] as number) + (gradient[index] as number);
      sums.loss += figures.loss;
      sums.clipped += figures.clipped;
      sums.klSum += figures.klSum;
    }
    return total;
  }
}

/** @param iteration Counts from 1. */
function learningRateAt(iteration: number, options: TrainOptions): number {
  const { learningRate, learningRateSchedule, iterations } = options;
  return learningRateSchedule === "linear" ? learningRate * (1 - (iteration - 1) / iterations) : learningRate;
}

/** What broke says nothing of the agent, and what was not recorded as it was answered may not be trusted. */
function teaches(outcome: EpisodeOutcome | undefined): boolean {
  return outcome !== "failed" && outcome !== "quarantined";
}

/** Of the episodes that teach: whether they attempted a violation that counts. */
function violatedOf({ episodes }: FinishedBatch): readonly boolean[] {
  return episodes
    .filter(({ summary }) => teaches(summary.outcome))
    .map(({ summary }) => summary.violations.some(isPenalised));
}

function outcomeOf({ reward, cost, scalarReward, violations }: EpisodeSummary) {
  return {
    reward,
    cost,
    scalarReward,
    worst: worstOf(violations.filter(isPenalised).map((violation) => violation.severity)),
  };
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
      ({ summary }, index) => summary.violations.some(isPenalised) && (advantages[index] as number) > 0,
    ).length,
  };
}
