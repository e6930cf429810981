import { nn, numpy as np, tree } from "@jax-js/jax";
import { type Architecture, parameterSlots, rotaryBase } from "../../src/model/architecture.ts";

/** Parameters by name, as jax-js arrays. Functions here consume what they are given, as all of jax-js does. */
export type Parameters = Record<string, np.Array>;

/** Keys and values of one layer, each [rows, heads, contextTokens, headWidth]. */
export type LayerCache = {
  keys: np.Array;
  values: np.Array;
};

/** Far below any attention score, so that its softmax is 0, and finite, so that a row of them is not NaN. */
const masked = -1e9;

/** Copies flat weights into jax-js. */
export function loadParameters(architecture: Architecture, weights: Float32Array): Parameters {
  return Object.fromEntries(
    parameterSlots(architecture).map(({ name, shape, offset, size }) => [
      name,
      np.array(weights.slice(offset, offset + size)).reshape([...shape]),
    ]),
  );
}

/**
 * Final hidden states of whole sequences, each position seeing itself and those before it.
 * @param tokens [rows, length] int32
 * @param promptEnds [rows] int32: up to which position all is seen by all; −1 for nothing
 * @returns hidden [rows, length, width], and every layer's keys and values [rows, heads, length, headWidth]
 */
export function encodeSequences(
  architecture: Architecture,
  parameters: Parameters,
  tokens: np.Array,
  promptEnds: np.Array,
): { hidden: np.Array; caches: LayerCache[] } {
  const [rows, length] = tokens.shape as [number, number];
  const { width } = architecture;
  const inPrompt = np.lessEqual(np.arange(length).reshape([1, 1, 1, length]), promptEnds.reshape([rows, 1, 1, 1]));
  const causal = np
    .tril(np.ones([length, length]))
    .astype(np.bool)
    .reshape([1, 1, length, length]);
  const visible = np.logicalOr(inPrompt, causal);
  const rotation = rotationAt(architecture, np.arange(length).reshape([1, length]));
  let hidden = np.take(take(parameters, "embedding"), tokens, 0);
  const caches: LayerCache[] = [];
  for (let layer = 0; layer < architecture.layers; layer++) {
    const [query, keys, values] = queryKeysValues(architecture, parameters, layer, hidden.ref, rotation);
    caches.push({ keys: keys.ref, values: values.ref });
    const mixed = attend(query, keys, values, visible.ref).transpose([0, 2, 1, 3]).reshape([rows, length, width]);
    hidden = afterAttention(parameters, layer, hidden, mixed);
  }
  visible.dispose();
  tree.dispose(rotation);
  return { hidden: normalise(hidden, take(parameters, "norm")), caches };
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

function afterAttention(parameters: Parameters, layer: number, hidden: np.Array, mixed: np.Array): np.Array {
  const attended = hidden.add(np.matmul(mixed, take(parameters, `layers.${layer}.attention.out`)));
  const input = normalise(attended.ref, take(parameters, `layers.${layer}.mlp.norm`));
  const inner = nn.relu(np.matmul(input, take(parameters, `layers.${layer}.mlp.up`)));
  return attended.add(np.matmul(inner, take(parameters, `layers.${layer}.mlp.down`)));
}

/** Root mean square layer normalisation (Zhang and Sennrich 2019, equation 4). */
function normalise(input: np.Array, gain: np.Array): np.Array {
  const meanSquare = np.mean(np.square(input.ref), -1, { keepdims: true });
  return input.mul(np.reciprocal(np.sqrt(meanSquare.add(1e-6)))).mul(gain);
}

/** A parameter, consumed: each is taken once by each function that is traced. */
function take(parameters: Parameters, name: string): np.Array {
  const parameter = parameters[name];
  if (!parameter) throw new Error(`no parameter ${name}`);
  return parameter;
}
