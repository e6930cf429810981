import { nn, numpy as np, tree } from "@jax-js/jax";
import type { Architecture } from "./architecture.ts";
import { copyCache, nextLogits } from "./next-token.ts";
import { type LayerCache, masked, type Parameters, ref, take } from "./parameters.ts";

/**
 * Final hidden states of whole sequences, each position seeing itself and those before it, and within a prompt perhaps those behind it.
 * @param input.tokens [rows, length] int32
 * @param input.promptEnds [rows] int32: the last position of each row's prompt; looked at where prompts are seen whole
 * @param input.dropout Factors of what is added to the residual stream, each [rows, length, width], in order; none while nothing is learned.
 * @returns hidden [rows, length, width], and every layer's keys and values [rows, heads, length, headWidth]
 */
export function encodeSequences(
  architecture: Architecture,
  parameters: Parameters,
  input: { readonly tokens: np.Array; readonly promptEnds: np.Array; readonly dropout?: readonly np.Array[] },
): { hidden: np.Array; caches: LayerCache[] } {
  const { tokens, promptEnds, dropout = [] } = input;
  const [rows, length] = tokens.shape as [number, number];
  const { width } = architecture;
  const visible = visiblePairs(architecture, { rows, length, promptEnds });
  const rotation = rotationAt(architecture, np.arange(length).reshape([1, length]));
  let hidden = dropped(np.take(take(parameters, "embedding"), tokens.ref, 0), dropout[0]);
  const caches: LayerCache[] = [];
  for (let layer = 0; layer < architecture.layers; layer++) {
    const [query, keys, values] = queryKeysValues(architecture, parameters, layer, hidden.ref, rotation);
    caches.push({ keys: keys.ref, values: values.ref });
    const mixed = attend(query, keys, values, visible.ref).transpose([0, 2, 1, 3]).reshape([rows, length, width]);
    hidden = afterAttention(parameters, layer, hidden, mixed, dropout.slice(1 + 2 * layer));
  }
  visible.dispose();
  tree.dispose(rotation);
  const final = normalise(hidden, take(parameters, "norm"));
  if (architecture.copyWidth > 0) caches.push(copyCache(take(parameters, "copy.key"), final.ref, tokens));
  else tokens.dispose();
  return { hidden: final, caches };
}

/** Which positions see which: [length, length], or [rows, 1, length, length] where that depends on the prompt. */
function visiblePairs(
  { promptAttention }: Architecture,
  { rows, length, promptEnds }: { readonly rows: number; readonly length: number; readonly promptEnds: np.Array },
): np.Array {
  if (promptAttention === "causal") {
    promptEnds.dispose();
    return causalPairs(length);
  }
  const inPrompt = np.lessEqual(np.arange(length).reshape([1, 1, 1, length]), promptEnds.reshape([rows, 1, 1, 1]));
  return np.logicalOr(inPrompt, causalPairs(length).reshape([1, 1, length, length]));
}

export function causalPairs(length: number): np.Array {
  return np.tril(np.ones([length, length])).astype(np.bool);
}

function dropped(input: np.Array, factors: np.Array | undefined): np.Array {
  return factors === undefined ? input : input.mul(factors);
}

/**
 * One more token for every row, written into its place in the caches.
 * @param tokens [rows] int32
 * @param positions [rows] int32: where each token stands in its row
 * @returns logits [rows, vocabularySize] of the token that follows, and the new caches
 */
export function decodeToken(
  architecture: Architecture,
  parameters: Parameters,
  tokens: np.Array,
  positions: np.Array,
  caches: readonly LayerCache[],
): { logits: np.Array; caches: LayerCache[] } {
  const rows = tokens.shape[0] as number;
  const { width } = architecture;
  const slots = caches[0]?.keys.shape[2] as number;
  const place = np.arange(slots).reshape([1, 1, slots, 1]);
  const here = np.equal(place.ref, positions.ref.reshape([rows, 1, 1, 1]));
  const visible = np.lessEqual(place.reshape([1, 1, 1, slots]), positions.ref.reshape([rows, 1, 1, 1]));
  const rotation = rotationAt(architecture, positions.reshape([rows, 1]));
  let hidden = np.take(ref(parameters, "embedding"), tokens.ref, 0).reshape([rows, 1, width]);
  const updated: LayerCache[] = [];
  caches.slice(0, architecture.layers).forEach((cache, layer) => {
    const [query, key, value] = queryKeysValues(architecture, parameters, layer, hidden.ref, rotation);
    // A product with the identity is a kernel of its own: fused into the choice, the rotation would run again for every place.
    const rotated = np.matmul(key, np.eye(key.shape.at(-1) as number));
    const keys = np.where(here.ref, rotated, cache.keys);
    const values = np.where(here.ref, value, cache.values);
    updated.push({ keys: keys.ref, values: values.ref });
    const mixed = attend(query, keys, values, visible.ref).reshape([rows, 1, width]);
    hidden = afterAttention(parameters, layer, hidden, mixed);
  });
  tree.dispose(rotation);
  const final = normalise(hidden, take(parameters, "norm"));
  const copying = caches[architecture.layers];
  if (copying !== undefined) {
    const own = copyCache(take(parameters, "copy.key"), final.ref, tokens.reshape([rows, 1]));
    const keys = np.where(here.ref, own.keys, copying.keys);
    updated.push({ keys, values: np.where(here.ref, own.values, copying.values) });
  } else tokens.dispose();
  here.dispose();
  const seen = updated[architecture.layers];
  const logits = nextLogits(
    architecture,
    parameters,
    final,
    seen && { cache: tree.ref(seen), visible: visible.ref.reshape([rows, 1, slots]) },
  );
  visible.dispose();
  return { logits: logits.reshape([rows, architecture.vocabularySize]), caches: updated };
}

/** Pre-norm projections, each [rows, heads, length, headWidth]. */
function queryKeysValues(
  { heads, width }: Architecture,
  parameters: Parameters,
  layer: number,
  hidden: np.Array,
  rotation: Rotation,
): [np.Array, np.Array, np.Array] {
  const [rows, length] = hidden.shape as [number, number, number];
  const input = normalise(hidden, take(parameters, `layers.${layer}.attention.norm`));
  const projected = np.matmul(input, take(parameters, `layers.${layer}.attention.qkv`));
  const parts = np.split(projected, 3, -1);
  const [query, keys, values] = parts.map((part) =>
    part.reshape([rows, length, heads, width / heads]).transpose([0, 2, 1, 3]),
  ) as [np.Array, np.Array, np.Array];
  return [rotate(query, rotation), rotate(keys, rotation), values];
}

/** Cosines and sines, each [rows or 1, 1, length, headWidth / 2]. */
type Rotation = { cosine: np.Array; sine: np.Array };

/** Wave lengths of the rotary embedding run from 2π to this many times as long. */
const rotaryBase = 1000;

/** @param positions [rows or 1, length] int32 */
function rotationAt({ width, heads }: Architecture, positions: np.Array): Rotation {
  const [rows, length] = positions.shape as [number, number];
  const pairs = width / heads / 2;
  const frequencies = Float32Array.from({ length: pairs }, (_, pair) => rotaryBase ** (-pair / pairs));
  const angles = positions.astype(np.float32).reshape([rows, 1, length, 1]).mul(np.array(frequencies));
  return { cosine: np.cos(angles.ref), sine: np.sin(angles) };
}

/** Rotary position embedding (Su et al. 2021, equation 34), on halves rather than on neighbours. */
function rotate(input: np.Array, { cosine, sine }: Rotation): np.Array {
  const [first, second] = np.split(input, 2, -1) as [np.Array, np.Array];
  return np.concatenate(
    [first.ref.mul(cosine.ref).sub(second.ref.mul(sine.ref)), first.mul(sine.ref).add(second.mul(cosine.ref))],
    -1,
  );
}

/** Scaled dot-product attention (Vaswani et al. 2017, equation 1). */
function attend(query: np.Array, keys: np.Array, values: np.Array, visible: np.Array): np.Array {
  const scale = 1 / Math.sqrt(query.shape.at(-1) as number);
  const scores = np.matmul(query.mul(scale), keys.transpose([0, 1, 3, 2]));
  return np.matmul(nn.softmax(np.where(visible, scores, masked), -1), values);
}

function afterAttention(
  parameters: Parameters,
  layer: number,
  hidden: np.Array,
  mixed: np.Array,
  dropout: readonly np.Array[] = [],
): np.Array {
  const attended = hidden.add(dropped(np.matmul(mixed, take(parameters, `layers.${layer}.attention.out`)), dropout[0]));
  const input = normalise(attended.ref, take(parameters, `layers.${layer}.mlp.norm`));
  const inner = nn.relu(np.matmul(input, take(parameters, `layers.${layer}.mlp.up`)));
  return attended.add(dropped(np.matmul(inner, take(parameters, `layers.${layer}.mlp.down`)), dropout[1]));
}

/** Root mean square layer normalisation (Zhang and Sennrich 2019, equation 4). */
function normalise(input: np.Array, gain: np.Array): np.Array {
  const meanSquare = np.mean(np.square(input.ref), -1, { keepdims: true });
  return input.mul(np.reciprocal(np.sqrt(meanSquare.add(1e-6)))).mul(gain);
}
