import { nn, numpy as np } from "@jax-js/jax";
import type { Architecture } from "./architecture.ts";
import { type LayerCache, masked, type Parameters, take } from "./parameters.ts";

/** What the copying head can point at: keys and tokens of its cache, and which of them each position sees, [rows or 1, length, slots]. */
export interface SeenTokens {
  readonly cache: LayerCache;
  readonly visible: np.Array;
}

/**
 * Logits of the tokens that follow, [rows, length, vocabularySize]. With a copying head the distribution is a mixture: a share of it is that of
 * the tokens that the head points at (See et al. 2017, equation 9).
 * @param hidden Final hidden states, [rows, length, width]
 */
export function nextLogits(
  architecture: Architecture,
  parameters: Parameters,
  hidden: np.Array,
  seen: SeenTokens | undefined,
): np.Array {
  const [rows, length] = hidden.shape as [number, number, number];
  const { vocabularySize } = architecture;
  const logits = writtenLogits(parameters, seen === undefined ? hidden : hidden.ref);
  if (seen === undefined) return logits.reshape([rows, length, vocabularySize]);
  const ids = seen.cache.values.ref.reshape([rows, -1, 1]);
  const all = np.arange(vocabularySize).astype(np.float32).reshape([1, 1, vocabularySize]);
  const { pointed, share } = pointAt(architecture, parameters, hidden, seen);
  const copied = np.matmul(pointed, np.equal(ids, all).astype(np.float32));
  const written = nn.softmax(logits, -1).reshape([rows, length, vocabularySize]);
  return mixtureLogarithm(written, copied, share.reshape([rows, length, 1]));
}

/**
 * Log-probabilities of given tokens under the softmax of {@link nextLogits} / temperature, [rows · length]. At temperature 1 the copying head needs
 * nothing as large as the vocabulary.
 * @param targets [rows, length] int32
 */
export function targetLogProbabilities(
  architecture: Architecture,
  parameters: Parameters,
  sequence: { readonly hidden: np.Array; readonly targets: np.Array; readonly temperature: number },
  seen: SeenTokens | undefined,
): np.Array {
  const { hidden, targets, temperature } = sequence;
  const [rows, length] = hidden.shape as [number, number, number];
  const wanted = targets.ref.reshape([rows * length, 1]);
  if (seen === undefined || temperature !== 1) {
    targets.dispose();
    const logits = seen === undefined ? writtenLogits(parameters, hidden) : nextLogits(architecture, parameters, hidden, seen);
    return logSoftmaxAt(logits.reshape([rows * length, -1]).mul(1 / temperature), wanted);
  }
  const held = np.equal(
    seen.cache.values.ref.reshape([rows, 1, length]),
    targets.astype(np.float32).reshape([rows, length, 1]),
  );
  const written = logSoftmaxAt(writtenLogits(parameters, hidden.ref), wanted);
  const { pointed, share } = pointAt(architecture, parameters, hidden, seen);
  const copied = np
    .where(held, pointed, 0)
    .sum(-1)
    .reshape([rows * length]);
  return mixtureLogarithm(np.exp(written), copied, share.reshape([rows * length]));
}

/** Keys of the copying head, and the tokens that stand there. */
export function copyCache(key: np.Array, hidden: np.Array, tokens: np.Array): LayerCache {
  const [rows, length] = hidden.shape as [number, number, number];
  return {
    keys: np.matmul(hidden, key).reshape([rows, 1, length, -1]),
    values: tokens.astype(np.float32).reshape([rows, 1, length, 1]),
  };
}

/** [rows · length, vocabularySize] */
function writtenLogits(parameters: Parameters, hidden: np.Array): np.Array {
  const [rows, length, width] = hidden.shape as [number, number, number];
  return np.matmul(hidden.reshape([rows * length, width]), take(parameters, "embedding").transpose());
}

/** @param targets [positions, 1] int32 */
function logSoftmaxAt(logits: np.Array, targets: np.Array): np.Array {
  const vocabularySize = logits.shape[1] as number;
  const normaliser = nn.logsumexp(logits.ref, -1);
  const isTarget = np.equal(np.arange(vocabularySize).reshape([1, vocabularySize]), targets);
  return np.where(isTarget, logits, 0).sum(-1).sub(normaliser);
}

/** Below any probability that matters, so that its logarithm is finite. */
const leastProbability = 1e-9;

function mixtureLogarithm(written: np.Array, copied: np.Array, share: np.Array): np.Array {
  return np.log(written.mul(np.subtract(1, share.ref)).add(copied.mul(share)).add(leastProbability));
}

/** Where the copying head points to, [rows, length, slots], and the share of the distribution that is its own, [rows, length]. */
function pointAt(
  { copyWidth, width }: Architecture,
  parameters: Parameters,
  hidden: np.Array,
  { cache, visible }: SeenTokens,
): { pointed: np.Array; share: np.Array } {
  const [rows, length] = hidden.shape as [number, number, number];
  const slots = cache.keys.shape[2] as number;
  cache.values.dispose();
  const flat = hidden.reshape([rows * length, width]);
  const query = np.matmul(flat.ref, take(parameters, "copy.query")).mul(1 / Math.sqrt(copyWidth));
  const keys = cache.keys.reshape([rows, slots, copyWidth]).transpose([0, 2, 1]);
  const scores = np.matmul(query.reshape([rows, length, copyWidth]), keys);
  const pointed = nn.softmax(np.where(visible, scores, masked), -1);
  const share = nn.sigmoid(np.matmul(flat, take(parameters, "copy.share"))).reshape([rows, length]);
  return { pointed, share };
}
