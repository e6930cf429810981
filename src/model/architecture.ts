import { Random } from "../core/random.ts";

/** Shape of a decoder-only transformer; saved as `config.json` beside the weights. */
export interface Architecture {
  readonly layers: number;
  /** Size of the residual stream. */
  readonly width: number;
  /** Attention heads; divides `width`. */
  readonly heads: number;
  readonly vocabularySize: number;
  /** Most tokens of an episode: prompt, actions and observations together. */
  readonly contextTokens: number;
  /** Most tokens of a prompt, its `<act>` included. */
  readonly promptTokens: number;
  /** What a token of the prompt sees of it: what stands before it, or all. */
  readonly promptAttention: PromptAttention;
}

export const promptAttentions = ["causal", "whole"] as const;
export type PromptAttention = (typeof promptAttentions)[number];

/** How many tokens, from the first of its episode on, a token sees. */
export function reachOf(
  { promptAttention }: Architecture,
  { position, promptTokens }: { readonly position: number; readonly promptTokens: number },
): number {
  return promptAttention === "whole" ? Math.max(position + 1, promptTokens) : position + 1;
}

/** What keeps a shape from being a transformer's, in words that follow "expected"; `null` where nothing does. */
export function shapeProblem({ width, heads, promptTokens, contextTokens }: Architecture): string | null {
  // Rotary embeddings turn the halves of a head against each other.
  if (width % heads !== 0 || (width / heads) % 2 !== 0)
    return `width ${width} to be an even multiple of heads ${heads}`;
  if (promptTokens > contextTokens) return `promptTokens ${promptTokens} to be at most contextTokens ${contextTokens}`;
  return null;
}

/** Where one parameter lies in the flat weights. */
export interface ParameterSlot {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly size: number;
}

/** The MLP is this many times as wide as the residual stream (Vaswani et al. 2017, section 3.3). */
export const mlpExpansion = 4;

/** Wave lengths of the rotary embedding run from 2π to this many times as long. */
export const rotaryBase = 1000;

/** Every parameter in its place; the order is the order in files and in shared memory. */
export function parameterSlots(architecture: Architecture): readonly ParameterSlot[] {
  const { layers, width, vocabularySize } = architecture;
  const slots: ParameterSlot[] = [];
  let offset = 0;
  const add = (name: string, ...shape: number[]) => {
    const size = shape.reduce((product, side) => product * side, 1);
    slots.push({ name, shape, offset, size });
    offset += size;
  };
  add("embedding", vocabularySize, width);
  for (let layer = 0; layer < layers; layer++) {
    add(`layers.${layer}.attention.norm`, width);
    add(`layers.${layer}.attention.qkv`, width, 3 * width);
    add(`layers.${layer}.attention.out`, width, width);
    add(`layers.${layer}.mlp.norm`, width);
    add(`layers.${layer}.mlp.up`, width, mlpExpansion * width);
    add(`layers.${layer}.mlp.down`, mlpExpansion * width, width);
  }
  add("norm", width);
  return slots;
}

export function parameterCount(architecture: Architecture): number {
  return parameterSlots(architecture).reduce((sum, slot) => sum + slot.size, 0);
}

/**
 * Fresh weights: norms are ones, the rest normal with deviation 0.02 for embeddings and 1/√fan-in for matrices, those that write to
 * the residual stream scaled by 1/√(2·layers) (Radford et al. 2019, section 2.3).
 */
export function initialWeights(architecture: Architecture, seed: number): Float32Array {
  const random = new Random(seed);
  const weights = new Float32Array(parameterCount(architecture));
  const residualScale = 1 / Math.sqrt(2 * architecture.layers);
  for (const { name, shape, offset, size } of parameterSlots(architecture)) {
    if (shape.length === 1) {
      weights.fill(1, offset, offset + size);
      continue;
    }
    const embeds = name === "embedding";
    const writesResidual = name.endsWith(".out") || name.endsWith(".down");
    const deviation = embeds ? 0.02 : (writesResidual ? residualScale : 1) / Math.sqrt(shape[0] as number);
    for (let index = 0; index < size; index++) weights[offset + index] = deviation * standardNormal(random);
  }
  return weights;
}

/** Box–Muller transform. */
function standardNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}
