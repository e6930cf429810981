import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ResolvedConfig } from "../config/config-schema.ts";
import { shapeOf } from "../config/model-options.ts";
import type { Environment } from "../core/env.ts";
import { FaradayError, InputError, messageOf } from "../core/errors.ts";
import { deriveSeed, Random } from "../core/random.ts";
import { chosenCount, type Trajectory } from "../core/trajectory.ts";
import { type Architecture, initialWeights, parameterCount, shapeProblem } from "../model/architecture.ts";
import { saveCheckpoint } from "../model/checkpoint.ts";
import { GradientEngine } from "../model/gradient.ts";
import { Adam, clipByNorm } from "../model/optimiser.ts";
import { type Tokenizer, trainTokenizer } from "../model/tokenizer.ts";
import { Augmentation } from "./augmentation.ts";
import { type CloningMaterial, cloningMaterial } from "./cloning-material.ts";
import { demonstrationTrajectory, type ReplayedDemonstration } from "./demonstrations.ts";
import type { RunEvent } from "./events.ts";
import { loadEnvironment } from "./load-environment.ts";
import { makeFolder, removeFolders } from "./make-folder.ts";
import { longestPrompt } from "./policy-model.ts";
import { observationTokensMax } from "./rollout-host.ts";

export interface PretrainRunOptions {
  readonly config: ResolvedConfig;
  /** Folder for the checkpoint; `base-policy` in the current folder where it is absent. */
  readonly out?: string;
  readonly signal?: AbortSignal;
  readonly events?: (event: RunEvent) => void;
}

/** What `pretrain --json` prints. */
export interface PretrainReport {
  /** The checkpoint's folder, absolute. */
  readonly checkpoint: string;
  readonly wallSeconds: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Share of the steps in which the learning rate rises, and what it falls to. */
const warmUpShare = 0.02;
const finalRate = 0.02;
/** Share of the demonstrations that is not trained on but measured. */
const validationShare = 0.03;
/** Log-probability above which no other token can be the most probable. */
const greedyCertain = Math.log(0.5);
/** Minibatches are cut from this many batches at a time, sorted by length: less padding. */
const batchesSorted = 8;

/**
 * Clones the base policy from the demonstrations of the training tasks: trains a tokenizer on their text, and a fresh transformer on
 * the cross-entropy of their actions.
 * @throws {InputError} where no training task has a demonstration, the shape does not fit, or the folder is taken or cannot be made:
 * before any training.
 */
export async function pretrain({ config, out, signal, events }: PretrainRunOptions): Promise<PretrainReport> {
  const start = performance.now();
  const folder = freeFolder(out ?? "base-policy");
  const environment = await loadEnvironment(config);
  const material = await cloningMaterial(environment, config);
  const { demonstrations, values } = material;
  const tokenizer = trainTokenizer(
    [
      ...demonstrations.flatMap(({ prompt, actions, observations }) => [prompt, ...actions, ...observations]),
      ...[...values.values()].flat(),
    ],
    shapeOf(config.model).vocabularySize,
  );
  const architecture = architectureFor(config, { environment, tokenizer, demonstrations });
  const cloning = new Cloning(config, { architecture, tokenizer, material, environment });
  const reserved = reserve(folder);
  const metrics = await cloning
    .run(signal ?? new AbortController().signal, events ?? (() => {}))
    .finally(() => removeFolders(reserved));
  const { env, pretrain, train } = config;
  const provenance = { command: "faraday pretrain", env, pretrain, seed: train.seed, figures: metrics };
  saveCheckpoint(folder, { architecture, tokenizer, weights: cloning.weights, provenance });
  return { checkpoint: folder, wallSeconds: (performance.now() - start) / 1000, metrics };
}

function freeFolder(out: string): string {
  const folder = resolve(out);
  if (existsSync(folder) && !existsSync(join(folder, "model.safetensors"))) {
    throw new InputError(`--out must be a new folder or an old checkpoint, got ${folder}, which is neither`);
  }
  return folder;
}

/** Finds out now, not after the training, whether the checkpoint can be written. */
function reserve(folder: string): readonly string[] {
  try {
    return makeFolder(`${folder}.partial`);
  } catch (error) {
    throw new InputError(`cannot make the folder ${folder}: ${messageOf(error)}; name another with --out`);
  }
}

/**
 * The shape that the config gives; where it says nothing of lengths, room for the longest prompt and for two of the longest actions, or, where an
 * episode is one action, for one that is half as long again.
 */
function architectureFor(
  { model }: ResolvedConfig,
  parts: { environment: Environment; tokenizer: Tokenizer; demonstrations: readonly ReplayedDemonstration[] },
): Architecture {
  const { environment, tokenizer, demonstrations } = parts;
  const longest = longestPrompt(tokenizer, environment.tasks)?.tokens ?? 1;
  const lengths = demonstrations.flatMap(({ actions }) => actions.map((text) => tokenizer.encode(text).length));
  const action = lengths.reduce((most, length) => Math.max(most, length), 0);
  const { layers, width, heads, ...given } = shapeOf(model);
  const promptTokens = given.promptTokens ?? roundUp(longest, 8);
  if (promptTokens < longest) {
    throw new InputError(`model.promptTokens must hold every prompt, got ${promptTokens} and one of ${longest} tokens`);
  }
  const spoken = environment.maxTurns === 1 ? Math.ceil(1.5 * action) + 2 : 2 * (action + 1) + observationTokensMax + 1;
  const architecture: Architecture = {
    ...{ layers, width, heads },
    promptAttention: given.promptAttention ?? "causal",
    copyWidth: given.copyWidth ?? 0,
    vocabularySize: tokenizer.size,
    promptTokens,
    contextTokens: given.contextTokens ?? roundUp(promptTokens + spoken, 16),
  };
  const problem = shapeProblem(architecture);
  if (problem !== null) throw new InputError(`model: expected ${problem}`);
  return architecture;
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/** Supervised training of fresh weights on demonstrations. */
class Cloning {
  readonly weights: Float32Array;
  readonly #config: ResolvedConfig;
  readonly #tokenizer: Tokenizer;
  readonly #architecture: Architecture;
  readonly #demonstrations: readonly ReplayedDemonstration[];
  readonly #held: readonly Trajectory[];
  readonly #augmentation: Augmentation;
  readonly #epochs: number;
  readonly #batchSize: number;
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
    this.#keepsBest = validation.length > 0;
    this.#augmentation = new Augmentation(config.pretrain, {
      material,
      demonstrations: shuffled,
      reserved: new Set([...held, ...heldOut].map(({ prompt }) => prompt)),
    });
    this.weights = initialWeights(architecture, deriveSeed(config.train.seed, 1));
    this.#adam = new Adam(this.weights.length, { weightDecay: config.pretrain.weightDecay });
  }

  async run(signal: AbortSignal, events: (event: RunEvent) => void): Promise<Record<string, number>> {
    const epochs = this.#epochs;
    const engine = new GradientEngine(this.#architecture, { temperature: 1 });
    let metrics: Record<string, number> = {};
    let best: { epoch: number; metrics: Record<string, number>; weights: Float32Array } | null = null;
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const start = performance.now();
      const { loss, tokens } = this.#epoch(engine, epoch);
      metrics = {
        loss,
        ...this.#validation(engine),
        demonstrationsPerSecond: this.#demonstrations.length / ((performance.now() - start) / 1000),
        tokens,
      };
      events({ type: "epoch-end", epoch, epochs, metrics });
      // Lets a signal in: an epoch is one long computation.
      await new Promise(setImmediate);
      if (signal.aborted) throw new FaradayError(`stopped in epoch ${epoch} of ${epochs}; no checkpoint was written`);
      if (this.#keepsBest && isBetter(metrics, best?.metrics)) best = { epoch, metrics, weights: this.weights.slice() };
    }
    if (best !== null) this.weights.set(best.weights);
    const parameters = parameterCount(this.#architecture);
    const kept = best === null ? metrics : { ...best.metrics, epoch: best.epoch };
    return { ...kept, demonstrations: this.#demonstrations.length, parameters };
  }

  #epoch(engine: GradientEngine, epoch: number): { loss: number; tokens: number } {
    const { learningRate } = this.#config.pretrain;
    const sums = { loss: 0, tokens: 0 };
    const batches = this.#batches(this.#batchSize);
    batches.forEach((batch, index) => {
      const progress = (epoch - 1 + index / batches.length) / this.#epochs;
      const gradient = crossEntropyGradient(engine, this.weights, batch, sums);
      clipByNorm(gradient, 1);
      this.#adam.step(this.weights, gradient, learningRate * rateAt(progress));
    });
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
    return this.#augmentation.mask(trajectory, this.#random);
  }

  #trajectory(demonstration: ReplayedDemonstration): Trajectory {
    const trajectory = demonstrationTrajectory(this.#tokenizer, demonstration);
    if (trajectory.tokens.length <= this.#architecture.contextTokens) return trajectory;
    throw new InputError(
      `model.contextTokens must hold every demonstration, got ${this.#architecture.contextTokens} and one of ${trajectory.tokens.length} tokens`,
    );
  }

  /** Cross-entropy a token on demonstrations that were not trained on, and the share that greedy decoding surely writes as they are. */
  #validation(engine: GradientEngine): Record<string, number> {
    if (this.#held.length === 0) return {};
    const found = engine.logProbabilities(this.weights, this.#held);
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

function crossEntropyGradient(
  engine: GradientEngine,
  weights: Float32Array,
  batch: readonly Trajectory[],
  sums: { loss: number; tokens: number },
): Float32Array {
  const tokens = batch.reduce((sum, trajectory) => sum + chosenCount(trajectory), 0);
  sums.tokens += tokens;
  return engine.gradient(weights, batch, (_, logProbabilities, derivative) => {
    for (const value of logProbabilities) sums.loss -= value;
    derivative.fill(-1 / tokens);
  });
}

/** Linear warm-up, then a cosine (Loshchilov and Hutter 2017, equation 5). */
function rateAt(progress: number): number {
  if (progress < warmUpShare) return progress / warmUpShare;
  const rest = (progress - warmUpShare) / (1 - warmUpShare);
  return finalRate + (1 - finalRate) * 0.5 * (1 + Math.cos(Math.PI * rest));
}
