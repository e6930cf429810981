import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ResolvedConfig } from "../config/config-schema.ts";
import { shapeOf } from "../config/model-options.ts";
import type { Environment } from "../core/env.ts";
import { InputError, messageOf } from "../core/errors.ts";
import { type Architecture, shapeProblem } from "../model/architecture.ts";
import { saveCheckpoint } from "../model/checkpoint.ts";
import { type Tokenizer, trainTokenizer } from "../model/tokenizer.ts";
import { Cloning } from "./cloning.ts";
import { cloningMaterial } from "./cloning-material.ts";
import type { ReplayedDemonstration } from "./demonstrations.ts";
import type { RunEvent } from "./events.ts";
import { loadEnvironment } from "./load-environment.ts";
import { makeFolder, removeFolders } from "./make-folder.ts";
import { longestPrompt } from "./policy-model.ts";
import { observationTokensMax } from "./policy-player.ts";

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
    config.model.vocabularySize ?? (material.few ? vocabularyOfFew : shapeOf(config.model).vocabularySize),
    { wholeWords: material.few },
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

/** Most tokens, for few demonstrations: room for each word of the database that literals are taken from. */
const vocabularyOfFew = 2048;

/**
 * The shape that the config gives; where it says nothing of lengths, room for the longest prompt and for two of the longest actions, or, where an
 * episode is one action, for one that is half as long again.
 */
function architectureFor(
  { model }: ResolvedConfig,
  parts: {
    environment: Environment;
    tokenizer: Tokenizer;
    demonstrations: readonly ReplayedDemonstration[];
  },
): Architecture {
  const { environment, tokenizer, demonstrations } = parts;
  const longest = longestPrompt(tokenizer, environment.tasks)?.tokens ?? 1;
  const lengths = demonstrations.flatMap(({ actions }) => actions.map((text) => tokenizer.encode(text).length));
  const action = lengths.reduce((most, length) => Math.max(most, length), 0);
  const { layers, width, heads, promptAttention, ...given } = shapeOf(model);
  const promptTokens = given.promptTokens ?? roundUp(longest, 8);
  if (promptTokens < longest) {
    throw new InputError(`model.promptTokens must hold every prompt, got ${promptTokens} and one of ${longest} tokens`);
  }
  const spoken = environment.maxTurns === 1 ? Math.ceil(1.5 * action) + 2 : 2 * (action + 1) + observationTokensMax + 1;
  const architecture: Architecture = {
    ...{ layers, width, heads, promptAttention },
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
