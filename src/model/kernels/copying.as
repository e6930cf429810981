// The copying head: a share of the distribution is that of earlier tokens, by where the head points (See et al. 2017, equation 9).
import { scoresOf } from "./attention";
import { exponential, exponentials, logarithm, mostProbable } from "./softmax";
import { addScaled, total4 } from "./vectors";

/** Added to every probability, so that its logarithm is finite. */
const least: f32 = 1e-9;

/**
 * logits become log((1 − share) · softmax(logits) + share · copied + 1e-9), copied the distribution of the tokens pointed at.
 * @param logits [count × columns]
 * @param written [count × columns] receives softmax(logits), or 0 where nobody wants it
 * @param queries [count × width], keys [… × width], shares [count] before the sigmoid
 * @param tokens the token at each place of `keys`
 * @param ends [count] the last place that each points at, reaches [count] how many lie before that
 * @param scores, copied room for a context and for `columns` numbers
 */
export function mix(
  logits: usize, written: usize, queries: usize, keys: usize, shares: usize, tokens: usize, ends: usize, reaches: usize,
  scores: usize, copied: usize, count: i32, columns: i32, width: i32,
): void {
  const rowBytes = <usize>columns << 2;
  for (let index = 0; index < count; index++) {
    const row = logits + <usize>index * rowBytes;
    const top = load<f32>(row + (<usize>mostProbable(row, columns) << 2));
    const scale: f32 = 1 / exponentials(row, row, columns, top, 1);
    const share = sigmoid(load<f32>(shares + (<usize>index << 2)));
    point(scores, queries, keys, ends, reaches, index, width);
    spread(copied, scores, tokens, ends, reaches, index, columns);
    const kept = f32x4.splat(1 - share), taken = f32x4.splat(share), scales = f32x4.splat(scale);
    let column = 0;
    for (; column + 4 <= columns; column += 4) {
      const at = <usize>column << 2;
      const own = f32x4.mul(v128.load(row + at), scales);
      if (written != 0) v128.store(written + <usize>index * rowBytes + at, own);
      const mixed = f32x4.add(f32x4.mul(kept, own), f32x4.mul(taken, v128.load(copied + at)));
      v128.store(row + at, logarithm(f32x4.add(mixed, f32x4.splat(least))));
    }
    for (; column < columns; column++) {
      const at = <usize>column << 2;
      const own = load<f32>(row + at) * scale;
      if (written != 0) store<f32>(written + <usize>index * rowBytes + at, own);
      const mixed: f32 = (1 - share) * own + share * load<f32>(copied + at) + least;
      store<f32>(row + at, f32x4.extract_lane(logarithm(f32x4.splat(mixed)), 0));
    }
  }
}

/**
 * Of `mix`: `slopes`, the derivative by the mixed logits, becomes that by the logits before; the derivatives by queries, keys (added) and shares are written.
 */
export function mixBack(
  slopes: usize, querySlopes: usize, keySlopes: usize, shareSlopes: usize, written: usize, queries: usize, keys: usize,
  shares: usize, tokens: usize, ends: usize, reaches: usize, scores: usize, copied: usize, count: i32, columns: i32, width: i32,
): void {
  const rowBytes = <usize>columns << 2;
  const factor: f32 = 1 / sqrt<f32>(<f32>width);
  for (let index = 0; index < count; index++) {
    const slope = slopes + <usize>index * rowBytes;
    const own = written + <usize>index * rowBytes;
    const share = sigmoid(load<f32>(shares + (<usize>index << 2)));
    const reach = load<i32>(reaches + (<usize>index << 2));
    const first = load<i32>(ends + (<usize>index << 2)) - reach;
    point(scores, queries, keys, ends, reaches, index, width);
    spread(copied, scores, tokens, ends, reaches, index, columns);
    const kept = f32x4.splat(1 - share), taken = f32x4.splat(share);
    let shareSlopes4 = f32x4.splat(0);
    let along4 = f32x4.splat(0);
    let column = 0;
    for (; column + 4 <= columns; column += 4) {
      const at = <usize>column << 2;
      const probability = v128.load(own + at);
      const other = v128.load(copied + at);
      const mixed = f32x4.add(f32x4.add(f32x4.mul(kept, probability), f32x4.mul(taken, other)), f32x4.splat(least));
      const back = f32x4.div(v128.load(slope + at), mixed);
      shareSlopes4 = f32x4.add(shareSlopes4, f32x4.mul(back, f32x4.sub(other, probability)));
      along4 = f32x4.add(along4, f32x4.mul(probability, back));
      v128.store(slope + at, back);
    }
    let shareSlope: f32 = total4(shareSlopes4);
    let along: f32 = total4(along4);
    for (; column < columns; column++) {
      const at = <usize>column << 2;
      const probability = load<f32>(own + at);
      const other = load<f32>(copied + at);
      const back: f32 = load<f32>(slope + at) / ((1 - share) * probability + share * other + least);
      shareSlope += back * (other - probability);
      along += probability * back;
      store<f32>(slope + at, back);
    }
    store<f32>(shareSlopes + (<usize>index << 2), shareSlope * share * (1 - share));
    let pointedAlong: f32 = 0;
    for (let place = 0; place <= reach; place++) {
      const token = load<i32>(tokens + (<usize>(first + place) << 2));
      pointedAlong += load<f32>(scores + (<usize>place << 2)) * load<f32>(slope + (<usize>token << 2)) * share;
    }
    const query = queries + (<usize>(index * width) << 2);
    const querySlope = querySlopes + (<usize>(index * width) << 2);
    memory.fill(querySlope, 0, <usize>width << 2);
    for (let place = 0; place <= reach; place++) {
      const token = load<i32>(tokens + (<usize>(first + place) << 2));
      const pointed = load<f32>(scores + (<usize>place << 2));
      const back: f32 = pointed * (load<f32>(slope + (<usize>token << 2)) * share - pointedAlong) * factor;
      const key = <usize>((first + place) * width) << 2;
      addScaled(querySlope, keys + key, back, width);
      addScaled(keySlopes + key, query, back, width);
    }
    const alongs = f32x4.splat(along);
    for (column = 0; column + 4 <= columns; column += 4) {
      const at = <usize>column << 2;
      const back = f32x4.mul(f32x4.mul(kept, v128.load(own + at)), f32x4.sub(v128.load(slope + at), alongs));
      v128.store(slope + at, back);
    }
    for (; column < columns; column++) {
      const at = <usize>column << 2;
      store<f32>(slope + at, (1 - share) * load<f32>(own + at) * (load<f32>(slope + at) - along));
    }
  }
}

/** scores become where a row points, a distribution over its places. */
function point(scores: usize, queries: usize, keys: usize, ends: usize, reaches: usize, index: i32, width: i32): void {
  const bytes = <usize>width << 2;
  const reach = load<i32>(reaches + (<usize>index << 2));
  const first = load<i32>(ends + (<usize>index << 2)) - reach;
  const total = scoresOf(scores, queries + <usize>index * bytes, keys + <usize>first * bytes, reach + 1, width, bytes);
  const scale: f32 = 1 / total;
  for (let place = 0; place <= reach; place++) {
    const at = scores + (<usize>place << 2);
    store<f32>(at, load<f32>(at) * scale);
  }
}

/** copied becomes the distribution over tokens. */
function spread(copied: usize, scores: usize, tokens: usize, ends: usize, reaches: usize, index: i32, columns: i32): void {
  memory.fill(copied, 0, <usize>columns << 2);
  const reach = load<i32>(reaches + (<usize>index << 2));
  const first = load<i32>(ends + (<usize>index << 2)) - reach;
  for (let place = 0; place <= reach; place++) {
    const to = copied + (<usize>load<i32>(tokens + (<usize>(first + place) << 2)) << 2);
    store<f32>(to, load<f32>(to) + load<f32>(scores + (<usize>place << 2)));
  }
}

function sigmoid(x: f32): f32 {
  const small = f32x4.extract_lane(exponential(f32x4.splat(-abs<f32>(x))), 0);
  return x >= 0 ? 1 / (1 + small) : small / (1 + small);
}
