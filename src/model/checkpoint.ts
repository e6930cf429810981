import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { FaradayError, InputError, messageOf } from "../core/errors.ts";
import { cannotWrite, syncFolder, writeWholeFile } from "../core/whole-file.ts";
import { type Architecture, parameterCount, parameterSlots, promptAttentions, shapeProblem } from "./architecture.ts";
import { decodeSafetensors, encodeSafetensors, type Tensor } from "./safetensors.ts";
import { Tokenizer } from "./tokenizer.ts";

/** Names of what is not yet, and of what is no longer, the checkpoint. */
const [partialEnd, earlierEnd] = [".partial", ".earlier"] as const;

const size = z.int().min(1);
const checkpointConfig = z.object({
  model_type: z.literal("faraday-transformer"),
  layers: size.max(64),
  width: size.max(4096),
  heads: size.max(64),
  vocabularySize: size.max(1_000_000),
  contextTokens: size.max(65_536),
  promptTokens: size.max(65_536),
  // Absent from checkpoints that were made before there was a choice.
  promptAttention: z.enum(promptAttentions).default("causal"),
  copyWidth: z.int().min(0).max(4096).default(0),
  /** How the checkpoint came to be, with its recorded figures. */
  provenance: z.record(z.string(), z.unknown()).default({}),
});

/** A policy model as it lies on disk: `model.safetensors`, `config.json` and `tokenizer.json`. */
export interface Checkpoint {
  readonly architecture: Architecture;
  readonly tokenizer: Tokenizer;
  readonly weights: Float32Array;
  readonly provenance: Readonly<Record<string, unknown>>;
}

/**
 * Writes a folder whole or not at all, also where the power is cut: a folder of that name is a checkpoint that can be loaded.
 * @throws {FaradayError} naming what could not be written; what was there before is still there.
 */
export function saveCheckpoint(folder: string, checkpoint: Checkpoint): void {
  const partial = `${folder}${partialEnd}`;
  try {
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial, { recursive: true });
    writeParts(partial, checkpoint);
    replaceFolder(partial, folder);
  } catch (error) {
    throw error instanceof FaradayError ? error : cannotWrite(folder, error);
  }
}

/**
 * Puts back, in a folder of checkpoints, those that a process was killed in the middle of replacing, and removes what it had not finished.
 * @throws {FaradayError} naming what could not be put back.
 */
export function mendCheckpoints(parent: string): void {
  for (const name of existsSync(parent) ? readdirSync(parent) : []) {
    const leftover = join(parent, name);
    try {
      if (name.endsWith(earlierEnd)) putBack(leftover);
      else if (name.endsWith(partialEnd)) rmSync(leftover, { recursive: true, force: true });
    } catch (error) {
      throw cannotWrite(leftover, error);
    }
  }
}

function putBack(earlier: string): void {
  const folder = earlier.slice(0, -earlierEnd.length);
  if (existsSync(folder)) rmSync(earlier, { recursive: true, force: true });
  else renameSync(earlier, folder);
  syncFolder(dirname(folder));
}

/** At every moment the old or the new one is there, the old one perhaps under its other name: see {@link mendCheckpoints}. */
function replaceFolder(partial: string, folder: string): void {
  const earlier = `${folder}${earlierEnd}`;
  if (existsSync(folder)) {
    rmSync(earlier, { recursive: true, force: true });
    renameSync(folder, earlier);
  }
  renameSync(partial, folder);
  syncFolder(dirname(folder));
  rmSync(earlier, { recursive: true, force: true });
}

function writeParts(folder: string, checkpoint: Checkpoint): void {
  const { architecture, tokenizer, weights, provenance } = checkpoint;
  const tensors = new Map<string, Tensor>(
    parameterSlots(architecture).map(({ name, shape, offset, size }) => [
      name,
      { shape, values: weights.slice(offset, offset + size) },
    ]),
  );
  writeWholeFile(join(folder, "model.safetensors"), [encodeSafetensors(tensors, { format: "faraday" })]);
  writeWholeFile(join(folder, "tokenizer.json"), `${JSON.stringify(tokenizer)}\n`);
  const config = { model_type: "faraday-transformer", ...architecture, provenance };
  writeWholeFile(join(folder, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
}

/** @throws {InputError} naming the file and what was expected of it. */
export function loadCheckpoint(folder: string): Checkpoint {
  const config = checkpointConfig.safeParse(readJson(join(folder, "config.json")));
  if (!config.success) {
    const problems = config.error.issues.map((issue) => `${issue.path.join(".") || "config"}: ${issue.message}`);
    throw new InputError(`${join(folder, "config.json")}: not a policy model's config: ${problems.join("; ")}`);
  }
  const { model_type: _, provenance, ...architecture } = config.data;
  const problem = shapeProblem(architecture);
  if (problem !== null) throw new InputError(`${join(folder, "config.json")}: expected ${problem}`);
  const tokenizerFile = join(folder, "tokenizer.json");
  const tokenizer = Tokenizer.fromJSON(readJson(tokenizerFile), tokenizerFile);
  if (tokenizer.size !== architecture.vocabularySize) {
    throw new InputError(
      `${tokenizerFile}: expected ${architecture.vocabularySize} tokens as config.json says, got ${tokenizer.size}`,
    );
  }
  return { architecture, tokenizer, weights: readWeights(join(folder, "model.safetensors"), architecture), provenance };
}

function readWeights(file: string, architecture: Architecture): Float32Array {
  const tensors = decodeSafetensors(readBytes(file), file);
  const slots = parameterSlots(architecture);
  // Compared with what the file holds before memory is taken for it.
  for (const { name, shape } of slots) {
    const tensor = tensors.get(name);
    if (!tensor || tensor.shape.join() !== shape.join()) {
      throw new InputError(
        `${file}: expected ${name} of shape [${shape}] as config.json says, got ${tensor ? `[${tensor.shape}]` : "none"}`,
      );
    }
    if (tensor.values.some((value) => !Number.isFinite(value))) {
      throw new InputError(`${file}: expected finite weights, got NaN or infinity in ${name}`);
    }
  }
  const weights = new Float32Array(parameterCount(architecture));
  for (const { name, offset } of slots) weights.set((tensors.get(name) as Tensor).values, offset);
  return weights;
}

function readJson(file: string): unknown {
  const bytes = readBytes(file);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new InputError(`${file}: expected JSON: ${messageOf(error)}`);
  }
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new InputError(
      `cannot read checkpoint file ${file}: ${messageOf(error)}; make a checkpoint with faraday pretrain, or name one in model.checkpoint`,
      { cause: error },
    );
  }
}
