import type { ResolvedConfig } from "../config/config-schema.ts";
import type { Environment } from "../core/env.ts";
import { InputError } from "../core/errors.ts";
import { type Checkpoint, loadCheckpoint } from "../model/checkpoint.ts";
import type { Tokenizer } from "../model/tokenizer.ts";

const shapeKeys = [
  "layers",
  "width",
  "heads",
  "contextTokens",
  "promptTokens",
  "vocabularySize",
  "promptAttention",
] as const;

/**
 * The checkpoint that the config names, checked against the config's shape and the tasks' prompts.
 * @throws {InputError} naming what does not fit.
 */
export function openPolicyModel({ model }: ResolvedConfig, environment: Environment): Checkpoint {
  if (model.checkpoint === undefined) {
    throw new InputError(
      "model.checkpoint must name the base policy's folder, got none; make one with faraday pretrain",
    );
  }
  const checkpoint = loadCheckpoint(model.checkpoint);
  for (const key of shapeKeys) {
    const wanted = model[key];
    if (wanted !== undefined && wanted !== checkpoint.architecture[key]) {
      throw new InputError(
        `model.${key} must agree with the checkpoint ${model.checkpoint}, which has ${checkpoint.architecture[key]}, got ${wanted}`,
      );
    }
  }
  checkPrompts(checkpoint, environment);
  return checkpoint;
}

function checkPrompts({ architecture, tokenizer }: Checkpoint, { tasks }: Environment): void {
  const longest = longestPrompt(tokenizer, tasks);
  if (longest === null || longest.tokens <= architecture.promptTokens) return;
  throw new InputError(
    `the policy model reads prompts of up to ${architecture.promptTokens} tokens, task ${longest.task} has ${longest.tokens}; ` +
      "make a base policy for these tasks with faraday pretrain",
  );
}

/** Tokens of the longest prompt, its `<act>` included; `null` without tasks. */
export function longestPrompt(
  tokenizer: Tokenizer,
  tasks: Environment["tasks"],
): { readonly task: string; readonly tokens: number } | null {
  let longest: { task: string; tokens: number } | null = null;
  for (const { id, prompt } of tasks) {
    const tokens = tokenizer.encode(prompt).length + 1;
    if (longest === null || tokens > longest.tokens) longest = { task: id, tokens };
  }
  return longest;
}
