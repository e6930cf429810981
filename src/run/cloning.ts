import type { ResolvedConfig } from "../config/config-schema.ts";
import type { Environment } from "../core/env.ts";
import { FaradayError, InputError } from "../core/errors.ts";
import { deriveSeed, Random } from "../core/random.ts";
import { chosenCount, type Trajectory } from "../core/trajectory.ts";
import { type Architecture, initialWeights, parameterCount } from "../model/architecture.ts";
import { Adam, clipByNorm, WeightAverage } from "../model/optimiser.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import { Augmentation } from "./augmentation.ts";
import type { CloningMaterial } from "./cloning-material.ts";
import { CloningPool } from "./cloning-pool.ts";
import { demonstrationTrajectory, type ReplayedDemonstration } from "./demonstrations.ts";
import type { RunEvent } from "./events.ts";
import { workerCountOf } from "./rollout-pool.ts";

/** Share of the steps in which the learning rate rises, and what it falls to. */
const warmUpShare = 0.02;
const finalRate = 0.02;
/** Share of the demonstrations that is not trained on but measured. */
const validationShare = 0.03;
/** Log-probability above which no other token can be the most probable. */
const greedyCertain = Math.log(0.5);
/** Pieces of a step's gradient. */
const shardsOfFew = 2;
/** Of the weights' moving average at each step. */
const averageOfFew = 0.995;
/** Minibatches are cut from this many batches at a time, sorted by length: less padding. */
const batchesSorted = 8;

/** Supervised training of fresh weights on demonstrations. */
export class Cloning {
  readonly weights: Float32Array;
  readonly #config: ResolvedConfig;
  readonly #tokenizer: Tokenizer;
  readonly #architecture: Architecture;
  readonly #demonstrations: readonly ReplayedDemonstration[];
  readonly #held: readonly Trajectory[];
  readonly #augmentation: Augmentation;
  readonly #epochs: number;
  readonly #batchSize: number;
  readonly #few: boolean;
  readonly #dropout: number;
  readonly #average: WeightAverage | null;
  /** A validation split is there to choose by. */
  readonly #keepsBest: boolean;
  readonly #random: Random;
  readonly #adam: Adam;

  constructor(
    config: ResolvedConfig,
    parts: {
      architecture: Architecture;
      tokenizer: Tokenizer;
      material: CloningMaterial;
      environment: Environment;
    },
  ) {
    const { architecture, tokenizer, material, environment } = parts;
    const { demonstrations, validation } = material;
    const heldOut = environment.tasks.filter((task) => task.split !== "train");
    this.#config = config;
    this.#tokenizer = tokenizer;
    this.#architecture = architecture;
    this.#random = new Random(deriveSeed(config.train.seed, 0));
    const shuffled = this.#random.shuffle(demonstrations);
    const heldCount = validation.length > 0 ? 0 : Math.floor(demonstrations.length * validationShare);
    const held = validation.length > 0 ? validation : shuffled.splice(0, heldCount);
    this.#demonstrations = shuffled;
    const heldTrajectories = held.map((demonstration) => demonstrationTrajectory(tokenizer, demonstration));
    // One that is longer than anything trained on could not be written anyway.
    this.#held = heldTrajectories.filter(({ tokens }) => tokens.length <= architecture.contextTokens);
    this.#epochs = material.epochs;
    this.#batchSize = material.batchSize;
    this.#few = material.few;
    this.#dropout = config.pretrain.dropout;
    this.#keepsBest = validation.length > 0;
    this.#augmentation = new Augmentation(config.pretrain, {
      material,
      demonstrations: shuffled,
      reserved: new Set([...held, ...heldOut].map(({ prompt }) => prompt)),
    });
    this.weights = initialWeights(architecture, deriveSeed(config.train.seed, 1));
    this.#average = material.few ? new WeightAverage(this.weights, averageOfFew) : null;
    this.#adam = new Adam(this.weights.length, { weightDecay: config.pretrain.weightDecay });
  }

  async run(signal: AbortSignal, events: (event: RunEvent) => void): Promise<Record<string, number>> {
    const epochs = this.#epochs;
    await using pool = this.#pool();
    let metrics: Record<string, number> = {};
    let best: { epoch: number; metrics: Record<string, number>; weights: Float32Array } | null = null;
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const start = performance.now();
      const { loss, tokens } = await this.#epoch(pool, epoch);
      metrics = {
        loss,
        ...(await this.#validation(pool)),
        demonstrationsPerSecond: this.#demonstrations.length / ((performance.now() - start) / 1000),
        tokens,
      };
      events({ type: "epoch-end", epoch, epochs, metrics });
      // Lets a signal in: an epoch is one long computation.
      await new Promise(setImmediate);
      if (signal.aborted) throw new FaradayError(`stopped in epoch ${epoch} of ${epochs}; no checkpoint was written`);
      if (this.#keepsBest && isBetter(metrics, best?.metrics))
        best = { epoch, metrics, weights: this.#measured().slice() };
    }
    this.weights.set(best?.weights ?? this.#measured());
    const parameters = parameterCount(this.#architecture);
    const kept = best === null ? metrics : { ...best.metrics, epoch: best.epoch };
    return { ...kept, demonstrations: this.#demonstrations.length, parameters };
  }

  #pool(): CloningPool {
    // A step of many demonstrations is one piece, as it always was: its sum must stay the same.
    const shards = this.#few ? shardsOfFew : 1;
    const workers = Math.min(workerCountOf(this.#config), shards);
    return new CloningPool({ architecture: this.#architecture, weights: this.weights, shards, workers });
  }

  /** The weights that are measured and kept. */
  #measured(): Float32Array {
    return this.#average?.weights ?? this.weights;
  }

  async #epoch(pool: CloningPool, epoch: number): Promise<{ loss: number; tokens: number }> {
    const { learningRate } = this.#config.pretrain;
    const sums = { loss: 0, tokens: 0 };
    const batches = this.#batches(this.#batchSize);
    for (const [index, batch] of batches.entries()) {
      const progress = (epoch - 1 + index / batches.length) / this.#epochs;
      const seed = deriveSeed(this.#config.train.seed, 2, epoch, index);
      const { gradient, loss, tokens } = await pool.gradient(batch, { rate: this.#dropout, seed });
      sums.loss += loss;
      sums.tokens += tokens;
      clipByNorm(gradient, 1);
      this.#adam.step(this.weights, gradient, learningRate * rateAt(progress));
      this.#average?.add(this.weights);
      pool.publish(this.weights);
    }
    return { loss: sums.loss / sums.tokens, tokens: sums.tokens };
  }

  /** The demonstrations in random order, each a variant of itself. */
  #batches(size: number): Trajectory[][] {
    const drawn = this.#random.shuffle(this.#demonstrations).map((demonstration) => this.#variant(demonstration));
    const batches: Trajectory[][] = [];
    for (let start = 0; start < drawn.length; start += size * batchesSorted) {
      const part = drawn.slice(start, start + size * batchesSorted).sort((a, b) => a.tokens.length - b.tokens.length);
      for (let place = 0; place < part.length; place += size) batches.push(part.slice(place, place + size));
    }
    return this.#random.shuffle(batches);
  }

  /** A variant that fits: exchanged literals may be longer. */
  #variant(demonstration: ReplayedDemonstration): Trajectory {
    const varied = demonstrationTrajectory(this.#tokenizer, this.#augmentation.vary(demonstration, this.#random));
    const fits = varied.tokens.length <= this.#architecture.contextTokens;
    const trajectory = fits ? varied : this.#trajectory(demonstration);
    const masked = this.#augmentation.mask(trajectory, this.#random, this.#tokenizer);
    return masked.tokens.length <= this.#architecture.contextTokens ? masked : trajectory;
  }

  #trajectory(demonstration: ReplayedDemonstration): Trajectory {
    const trajectory = demonstrationTrajectory(this.#tokenizer, demonstration);
    if (trajectory.tokens.length <= this.#architecture.contextTokens) return trajectory;
    throw new InputError(
      `model.contextTokens must hold every demonstration, got ${this.#architecture.contextTokens} and one of ${trajectory.tokens.length} tokens`,
    );
  }

  /** Cross-entropy a token on demonstrations that were not trained on, and the share that greedy decoding surely writes as they are. */
  async #validation(pool: CloningPool): Promise<Record<string, number>> {
    if (this.#held.length === 0) return {};
    pool.publish(this.#measured());
    const found = await pool.logProbabilities(this.#held);
    pool.publish(this.weights);
    const total = found.reduce((sum, values) => sum - values.reduce((part, value) => part + value, 0), 0);
    const exact = found.filter((values) => values.every((value) => value > greedyCertain)).length;
    return {
      validationLoss: total / this.#held.reduce((sum, trajectory) => sum + chosenCount(trajectory), 0),
      validationExact: exact / this.#held.length,
    };
  }
}

/** More demonstrations of the validation split written as they are; of equally many, the later weights, whose steps are smaller. */
function isBetter(metrics: Record<string, number>, best: Record<string, number> | undefined): boolean {
  return (metrics.validationExact ?? 0) >= (best?.validationExact ?? 0);
}

/** Linear warm-up, then a cosine (Loshchilov and Hutter 2017, equation 5). */
function rateAt(progress: number): number {
  if (progress < warmUpShare) return progress / warmUpShare;
  const rest = (progress - warmUpShare) / (1 - warmUpShare);
  return finalRate + (1 - finalRate) * 0.5 * (1 + Math.cos(Math.PI * rest));
}
