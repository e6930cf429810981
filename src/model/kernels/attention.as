// Rotary positions and attention.
import { exponentials } from "./softmax";
import { addScaled, dot, weigh } from "./vectors";

/**
 * Turns queries and keys by their positions (rotary embedding on halves, Su et al. 2021, equation 34), or back where `direction` is −1.
 * @param projected [count × 3·width]: query, key and value of each token
 * @param cosine, sine [contextTokens × pairs]
 */
export function turn(
  projected: usize, positions: usize, cosine: usize, sine: usize, count: i32, width: i32, heads: i32, direction: f32,
): void {
  const pairs = width / heads / 2;
  for (let index = 0; index < count; index++) {
    const query = projected + (<usize>(3 * index * width) << 2);
    const angles = <usize>(load<i32>(positions + (<usize>index << 2)) * pairs) << 2;
    for (let head = 0; head < 2 * heads; head++) {
      turnHead(query + (<usize>(head * 2 * pairs) << 2), cosine + angles, sine + angles, pairs, direction);
    }
  }
}

function turnHead(head: usize, cosine: usize, sine: usize, pairs: i32, direction: f32): void {
  const half = <usize>pairs << 2;
  for (let pair = 0; pair < pairs; pair++) {
    const at = <usize>pair << 2;
    const first = load<f32>(head + at);
    const second = load<f32>(head + half + at);
    const c = load<f32>(cosine + at);
    const s = load<f32>(sine + at) * direction;
    store<f32>(head + at, first * c - second * s);
    store<f32>(head + half + at, first * s + second * c);
  }
}

/**
 * Scaled dot-product attention (Vaswani et al. 2017, equation 1) of each token to its row's places.
 * @param places [count] where each token stands in the caches, positions [count] where in its row, reaches [count] the last position it sees
 * @param scores room for contextTokens numbers
 */
export function attend(
  mixed: usize, projected: usize, places: usize, positions: usize, reaches: usize, keys: usize, values: usize, scores: usize,
  count: i32, width: i32, heads: i32,
): void {
  const headWidth = width / heads;
  const bytes = <usize>width << 2;
  for (let index = 0; index < count; index++) {
    const at = <usize>index << 2;
    const seen = load<i32>(reaches + at) + 1;
    const first = <usize>(load<i32>(places + at) - load<i32>(positions + at)) * bytes;
    for (let head = 0; head < heads; head++) {
      const offset = <usize>(head * headWidth) << 2;
      const query = projected + <usize>(3 * index) * bytes + offset;
      const total = scoresOf(scores, query, keys + first + offset, seen, headWidth, bytes);
      weigh(mixed + <usize>index * bytes + offset, values + first + offset, scores, seen, headWidth, bytes, total);
    }
  }
}

/** The same within sequences whose tokens stand one after the other. */
export function attendWithin(
  mixed: usize, projected: usize, positions: usize, reaches: usize, scores: usize, count: i32, width: i32, heads: i32,
): void {
  const headWidth = width / heads;
  const stride = <usize>(3 * width) << 2;
  for (let index = 0; index < count; index++) {
    const position = load<i32>(positions + (<usize>index << 2));
    const seen = load<i32>(reaches + (<usize>index << 2)) + 1;
    for (let head = 0; head < heads; head++) {
      const offset = <usize>(head * headWidth) << 2;
      const query = projected + <usize>index * stride + offset;
      const key = projected + <usize>(index - position) * stride + (<usize>width << 2) + offset;
      const total = scoresOf(scores, query, key, seen, headWidth, stride);
      const out = mixed + (<usize>(index * width) << 2) + offset;
      weigh(out, key + (<usize>width << 2), scores, seen, headWidth, stride, total);
    }
  }
}

/** Of `attendWithin`: adds to the derivatives of queries, keys and values, which must be 0 at first. */
export function attendWithinBack(
  projectedSlope: usize, mixedSlope: usize, projected: usize, positions: usize, reaches: usize, scores: usize, count: i32, width: i32, heads: i32,
): void {
  const headWidth = width / heads;
  const bytes = <usize>width << 2;
  const stride = bytes * 3;
  const factor: f32 = 1 / sqrt<f32>(<f32>headWidth);
  for (let index = 0; index < count; index++) {
    const position = load<i32>(positions + (<usize>index << 2));
    const seen = load<i32>(reaches + (<usize>index << 2)) + 1;
    const first = <usize>(index - position) * stride;
    for (let head = 0; head < heads; head++) {
      const offset = <usize>(head * headWidth) << 2;
      const query = projected + <usize>index * stride + offset;
      const querySlope = projectedSlope + <usize>index * stride + offset;
      const slope = mixedSlope + <usize>index * bytes + offset;
      const keys = projected + first + bytes + offset;
      const total = scoresOf(scores, query, keys, seen, headWidth, stride);
      const scale: f32 = 1 / total;
      let along: f32 = 0;
      const slopes = scores + (<usize>seen << 2);
      for (let place = 0; place < seen; place++) {
        const at = <usize>place << 2;
        const weight = load<f32>(scores + at) * scale;
        const own = dot(slope, keys + <usize>place * stride + bytes, headWidth);
        store<f32>(scores + at, weight);
        store<f32>(slopes + at, own);
        along += weight * own;
      }
      for (let place = 0; place < seen; place++) {
        const at = <usize>place << 2;
        const weight = load<f32>(scores + at);
        const own: f32 = weight * (load<f32>(slopes + at) - along) * factor;
        const key = <usize>place * stride;
        const keySlope = projectedSlope + first + bytes + offset + key;
        addScaled(querySlope, keys + key, own, headWidth);
        addScaled(keySlope, query, own, headWidth);
        addScaled(keySlope + bytes, slope, weight, headWidth);
      }
    }
  }
}

/** Exponentials of the scores, up to a common factor; gives their sum. */
export function scoresOf(scores: usize, query: usize, keys: usize, count: i32, headWidth: i32, stride: usize): f32 {
  const factor: f32 = 1 / sqrt<f32>(<f32>headWidth);
  let top: f32 = -Infinity;
  let key = keys;
  for (let place = 0; place < count; place++, key += stride) {
    const score = dot(query, key, headWidth) * factor;
    store<f32>(scores + (<usize>place << 2), score);
    top = max<f32>(top, score);
  }
  return exponentials(scores, scores, count, top, 1);
}
