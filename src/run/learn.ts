import type { TrainOptions } from "../config/train-options.ts";
import type { EpisodeOutcome, EpisodeSummary } from "../core/episode.ts";
import { FaradayError, InputError } from "../core/errors.ts";
import { deriveSeed, Random } from "../core/random.ts";
import { isPenalised, type Severity, severityRank } from "../core/syscall.ts";
import { chosenCount, packTrajectories, type Trajectory } from "../core/trajectory.ts";
import { advantagesOf, type Outcome } from "../grpo/advantages.ts";
import { type Algorithm, algorithmOf } from "../grpo/algorithm.ts";
import { CostMultiplier } from "../grpo/constraint-multiplier.ts";
import { noFigures, type PolicyLossFigures, type StepSize, tokenWeight } from "../grpo/policy-loss.ts";
import { cutIntoShards, trajectoriesOfShard } from "../model/gradient.ts";
import { Adam, addInto, clipByNorm } from "../model/optimiser.ts";
import type { FinishedBatch } from "./dispatch.ts";
import { learningRateAt } from "./learning-rate.ts";
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
  /** One an episode, in the order of the batch; 0 for one that teaches nothing: it failed, timed out, is quarantined, or has no finite reward. */
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
  readonly #algorithm: Algorithm;
  /** The weights at first, where the loss measures how far the policy has come from them. Workers share them. */
  readonly #reference: Float32Array | undefined;
  /** The weights when the update began, where the loss corrects for tokens that older ones sampled. Workers share them. */
  readonly #proximal: Float32Array | undefined;
  readonly #channels: "separate" | "scalar";
  readonly #costMultiplier: CostMultiplier;
  readonly #others: Readonly<Record<string, Stateful>>;

  constructor(options: {
    /** Of the base policy, which is the reference of the divergence; a learner that goes on is given its own by {@link restore}. */
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
    this.#algorithm = algorithmOf(options.train);
    const { klCoefficient, importanceCap } = this.#algorithm.loss;
    this.#reference = klCoefficient > 0 ? sharedCopy(this.weights) : undefined;
    this.#proximal = importanceCap === null ? undefined : sharedCopy(this.weights);
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

  /** One update (GRPO, Shao et al. 2024, and its family): advantages within groups, then steps over minibatches. */
  async update(batch: FinishedBatch, iteration: number): Promise<Update> {
    const costMultiplier = this.#costMultiplier.after(violatedOf(batch));
    const advantages = this.#advantages(batch, costMultiplier);
    const samples = batch.episodes.flatMap(({ trajectory, summary, leftOut }, index): Sample[] => {
      const advantage = advantages[index] as number;
      const isHeld = this.#isHeld && !leftOut && teaches(summary);
      return advantage === 0 && !isHeld ? [] : [{ trajectory, advantage }];
    });
    const figures = { ...(await this.#fit(samples, iteration)), ...groupMetrics(batch, advantages) };
    return { advantages, metrics: this.#channels === "scalar" ? figures : { ...figures, costMultiplier } };
  }

  /** Whether episodes without an advantage matter too. */
  get #isHeld(): boolean {
    return this.#reference !== undefined || this.#algorithm.loss.entropyCoefficient > 0;
  }

  #advantages({ episodes }: FinishedBatch, costMultiplier: number): number[] {
    const { neverPositive } = this.#options;
    const places = Map.groupBy(episodes.keys(), (index) => episodes[index]?.summary.key.group);
    const groups = [...places.values()].map((members) =>
      members.filter((index) => !episodes[index]?.leftOut && teaches(episodes[index]?.summary)),
    );
    const outcomes = groups.map((members) => members.map((index) => outcomeOf(episodes[index] as LearnedEpisode)));
    const { advantage } = this.#algorithm;
    const found = advantagesOf(outcomes, { channels: this.#channels, costMultiplier, neverPositive, advantage });
    const advantages = episodes.map(() => 0);
    groups.forEach((members, group) => {
      members.forEach((index, place) => {
        advantages[index] = found[group]?.[place] as number;
      });
    });
    return advantages;
  }

  async #fit(samples: readonly Sample[], iteration: number): Promise<Record<string, number>> {
    const { updatesPerBatch, minibatchEpisodes, accumulate, seed, gradientClip } = this.#options;
    const learningRate = learningRateAt(iteration, this.#options);
    const sums = { ...noFigures(), tokens: 0, gradNorm: 0, steps: 0 };
    const random = new Random(deriveSeed(seed, iteration));
    this.#proximal?.set(this.weights);
    for (let pass = 0; pass < updatesPerBatch; pass++) {
      for (const step of cut(random.shuffle(samples), minibatchEpisodes * accumulate)) {
        const gradient = await this.#gradient(step, sums);
        sums.tokens += tokensOf(step);
        const norm = clipByNorm(gradient, gradientClip);
        if (!Number.isFinite(norm)) throw noNumbers(iteration);
        sums.gradNorm += norm;
        sums.steps++;
        this.#adam.step(this.weights, gradient, learningRate);
        this.#source.publish(this.weights);
      }
    }
    return sums.steps === 0 ? {} : this.#stepMetrics(sums);
  }

  #stepMetrics(sums: PolicyLossFigures & { tokens: number; gradNorm: number; steps: number }): Record<string, number> {
    return {
      loss: sums.loss / sums.steps,
      clipFraction: sums.clipped / sums.tokens,
      approxKl: sums.klSum / sums.tokens,
      gradNorm: sums.gradNorm / sums.steps,
      ...(this.#reference === undefined ? {} : { referenceKl: sums.referenceKlSum / sums.tokens }),
      ...(this.#algorithm.loss.entropyCoefficient === 0 ? {} : { policyEntropy: sums.entropySum / sums.tokens }),
    };
  }

  /** Minibatch after minibatch, so that no more than one is under way; all for one step. */
  async #gradient(step: readonly Sample[], sums: PolicyLossFigures): Promise<Float32Array> {
    let total: Float32Array | null = null;
    const minibatches = cut(step, this.#options.minibatchEpisodes);
    const stepSize = { stepMinibatches: minibatches.length, stepTokens: tokensOf(step), stepEpisodes: step.length };
    for (const minibatch of minibatches) {
      const shards = this.#shards(minibatch, { ...stepSize, minibatchTokens: tokensOf(minibatch) });
      for (const { gradient, figures } of await this.#source.gradients(shards)) {
        if (total === null) total = gradient;
        else addInto(total, gradient);
        sums.loss += figures.loss;
        sums.clipped += figures.clipped;
        sums.klSum += figures.klSum;
        sums.referenceKlSum += figures.referenceKlSum;
        sums.entropySum += figures.entropySum;
      }
    }
    return total ?? new Float32Array(this.weights.length);
  }

  /** Cut and added in an order that the samples alone decide, so that the sum does not depend on who computed them. */
  #shards(samples: readonly Sample[], size: Omit<StepSize, "tokens">): SurrogateShard[] {
    const { loss } = this.#algorithm;
    const trajectories = samples.map((sample) => sample.trajectory);
    const count = Math.ceil(trajectories.length / trajectoriesOfShard);
    return cutIntoShards(trajectories, count).map((rows) => ({
      trajectories: packTrajectories(rows.map((row) => trajectories[row] as Trajectory)),
      advantages: Float64Array.from(rows, (row) => (samples[row] as Sample).advantage),
      weights: Float64Array.from(rows, (row) =>
        tokenWeight({ ...size, tokens: chosenCount(trajectories[row] as Trajectory) }, loss),
      ),
      loss,
      reference: this.#reference,
      proximal: this.#proximal,
    }));
  }
}

type LearnedEpisode = FinishedBatch["episodes"][number];

/** Weights that such a gradient was added to would be lost for good. */
function noNumbers(iteration: number): FaradayError {
  return new FaradayError(
    `the gradient of iteration ${iteration} is not of finite numbers, and was not taken; go on with --resume, and where it comes again train anew with a smaller train.learningRate`,
  );
}

/** In memory that crosses threads without a copy. */
function sharedCopy(weights: Float32Array): Float32Array {
  const shared = new Float32Array(new SharedArrayBuffer(weights.byteLength));
  shared.set(weights);
  return shared;
}

function cut<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

function tokensOf(samples: readonly Sample[]): number {
  return samples.reduce((sum, { trajectory }) => sum + chosenCount(trajectory), 0);
}

const silent: readonly EpisodeOutcome[] = ["failed", "quarantined", "timed-out"];

/**
 * What broke or took too long says nothing of the agent, what was not recorded as it was answered may not be trusted, and a reward that is not a number
 * compares with none.
 */
function teaches(summary: EpisodeSummary | undefined): boolean {
  return summary !== undefined && !silent.includes(summary.outcome) && isRewarded(summary);
}

function isRewarded({ reward, cost, scalarReward }: EpisodeSummary): boolean {
  return Number.isFinite(reward) && Number.isFinite(cost) && Number.isFinite(scalarReward);
}

/** Of the episodes that teach: whether they attempted a violation that counts. */
function violatedOf({ episodes }: FinishedBatch): readonly boolean[] {
  return episodes.filter(({ summary }) => teaches(summary)).map(({ summary }) => summary.violations.some(isPenalised));
}

function outcomeOf({ summary, trajectory }: LearnedEpisode): Outcome {
  const { reward, cost, scalarReward, violations } = summary;
  const worst = worstOf(violations.filter(isPenalised).map((violation) => violation.severity));
  return { reward, cost, scalarReward, worst, tokens: chosenCount(trajectory) };
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
    episodesWithoutReward: episodes.filter(({ summary }) => !isRewarded(summary)).length,
    entropy: tokens === 0 ? 0 : surprise / tokens,
    violatorsWithPositiveAdvantage: episodes.filter(
      ({ summary }, index) => summary.violations.some(isPenalised) && (advantages[index] as number) > 0,
    ).length,
  };
}
