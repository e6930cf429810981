// The arithmetic of a transformer, forward and back, in AssemblyScript: compiled to kernels.wasm by `npm run kernels`.
// Pointers are bytes, sizes are numbers of float32. Whatever is computed of a token is added in one order, whoever its neighbours are.

/** target[rows × columns] = left[rows × depth] · right[depth × columns]; put, added to what is there, or cut below 0, as `how` says. */
export function multiply(target: usize, left: usize, right: usize, rows: i32, depth: i32, columns: i32, how: i32): void {
  product(target, left, right, rows, depth, columns, how, <usize>depth << 2, 4);
}

/** target[rows × columns] = left[depth × rows], transposed, · right[depth × columns]. */
export function multiplyTransposed(
  target: usize, left: usize, right: usize, rows: i32, depth: i32, columns: i32, how: i32,
): void {
  product(target, left, right, rows, depth, columns, how, 4, <usize>rows << 2);
}

const ADD = 1;
const CUT = 2;

/** @param rowBytes, depthBytes from one number of `left` to the next in its row or depth */
function product(
  target: usize, left: usize, right: usize, rows: i32, depth: i32, columns: i32, how: i32, rowBytes: usize, depthBytes: usize,
): void {
  let row = 0;
  for (; row + 4 <= rows; row += 4) fourRows(target, left, right, row, depth, columns, how, rowBytes, depthBytes);
  for (; row < rows; row++) oneRow(target, left, right, row, depth, columns, how, rowBytes, depthBytes);
}

function fourRows(
  target: usize, left: usize, right: usize, row: i32, depth: i32, columns: i32, how: i32, rowBytes: usize, depthBytes: usize,
): void {
  const stride = <usize>columns << 2;
  const a = left + <usize>row * rowBytes;
  const out = target + <usize>row * stride;
  let column = 0;
  for (; column + 8 <= columns; column += 8) {
    let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
    let b = right + (<usize>column << 2);
    for (let at = a, end = a + <usize>depth * depthBytes; at < end; at += depthBytes) {
      const b0 = v128.load(b), b1 = v128.load(b, 16);
      const x0 = v128.load32_splat(at);
      s00 = f32x4.add(s00, f32x4.mul(x0, b0));
      s01 = f32x4.add(s01, f32x4.mul(x0, b1));
      const x1 = v128.load32_splat(at + rowBytes);
      s10 = f32x4.add(s10, f32x4.mul(x1, b0));
      s11 = f32x4.add(s11, f32x4.mul(x1, b1));
      const x2 = v128.load32_splat(at + 2 * rowBytes);
      s20 = f32x4.add(s20, f32x4.mul(x2, b0));
      s21 = f32x4.add(s21, f32x4.mul(x2, b1));
      const x3 = v128.load32_splat(at + 3 * rowBytes);
      s30 = f32x4.add(s30, f32x4.mul(x3, b0));
      s31 = f32x4.add(s31, f32x4.mul(x3, b1));
      b += stride;
    }
    let to = out + (<usize>column << 2);
    put(to, s00, how); put(to + 16, s01, how); to += stride;
    put(to, s10, how); put(to + 16, s11, how); to += stride;
    put(to, s20, how); put(to + 16, s21, how); to += stride;
    put(to, s30, how); put(to + 16, s31, how);
  }
  for (let next = row; next < row + 4; next++) {
    restOfRow(target, left, right, next, column, depth, columns, how, rowBytes, depthBytes);
  }
}

function oneRow(
  target: usize, left: usize, right: usize, row: i32, depth: i32, columns: i32, how: i32, rowBytes: usize, depthBytes: usize,
): void {
  const a = left + <usize>row * rowBytes;
  const out = target + (<usize>(row * columns) << 2);
  const stride = <usize>columns << 2;
  let column = 0;
  for (; column + 16 <= columns; column += 16) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    let b = right + (<usize>column << 2);
    for (let at = a, end = a + <usize>depth * depthBytes; at < end; at += depthBytes) {
      const x = v128.load32_splat(at);
      s0 = f32x4.add(s0, f32x4.mul(x, v128.load(b)));
      s1 = f32x4.add(s1, f32x4.mul(x, v128.load(b, 16)));
      s2 = f32x4.add(s2, f32x4.mul(x, v128.load(b, 32)));
      s3 = f32x4.add(s3, f32x4.mul(x, v128.load(b, 48)));
      b += stride;
    }
    const to = out + (<usize>column << 2);
    put(to, s0, how); put(to + 16, s1, how); put(to + 32, s2, how); put(to + 48, s3, how);
  }
  restOfRow(target, left, right, row, column, depth, columns, how, rowBytes, depthBytes);
}

function restOfRow(
  target: usize, left: usize, right: usize, row: i32, from: i32, depth: i32, columns: i32, how: i32,
  rowBytes: usize, depthBytes: usize,
): void {
  const a = left + <usize>row * rowBytes;
  for (let column = from; column < columns; column++) {
    let sum: f32 = 0;
    for (let k = 0; k < depth; k++) {
      sum += load<f32>(a + <usize>k * depthBytes) * load<f32>(right + (<usize>(k * columns + column) << 2));
    }
    const to = target + (<usize>(row * columns + column) << 2);
    if (how == ADD) sum = load<f32>(to) + sum;
    else if (how == CUT) sum = max<f32>(sum, 0);
    store<f32>(to, sum);
  }
}

// @ts-ignore: decorator
@inline
function put(to: usize, sum: v128, how: i32): void {
  if (how == ADD) v128.store(to, f32x4.add(v128.load(to), sum));
  else if (how == CUT) v128.store(to, f32x4.max(sum, f32x4.splat(0)));
  else v128.store(to, sum);
}

/** Root mean square layer normalisation (Zhang and Sennrich 2019, equation 4). */
export function normalise(target: usize, input: usize, gain: usize, rows: i32, width: i32): void {
  for (let row = 0; row < rows; row++) {
    const from = input + (<usize>(row * width) << 2);
    const to = target + (<usize>(row * width) << 2);
    let sum: f32 = 0;
    for (let index = 0; index < width; index++) {
      const value = load<f32>(from + (<usize>index << 2));
      sum += value * value;
    }
    const scale: f32 = 1 / sqrt<f32>(sum / <f32>width + 1e-6);
    for (let index = 0; index < width; index++) {
      const at = <usize>index << 2;
      store<f32>(to + at, load<f32>(from + at) * scale * load<f32>(gain + at));
    }
  }
}

/** target[i] = input[rows[i]] */
export function takeRows(target: usize, input: usize, rows: usize, count: i32, width: i32): void {
  const bytes = <usize>width << 2;
  for (let index = 0; index < count; index++) {
    const row = load<i32>(rows + (<usize>index << 2));
    memory.copy(target + <usize>index * bytes, input + <usize>row * bytes, bytes);
  }
}

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
 * Puts keys and values into their places of the caches.
 * @param places [count]: where each token stands in the caches, row · contextTokens + position
 */
export function keep(projected: usize, places: usize, keys: usize, values: usize, count: i32, width: i32): void {
  const bytes = <usize>width << 2;
  for (let index = 0; index < count; index++) {
    const key = projected + <usize>(3 * index + 1) * bytes;
    const place = <usize>load<i32>(places + (<usize>index << 2)) * bytes;
    memory.copy(keys + place, key, bytes);
    memory.copy(values + place, key + bytes, bytes);
  }
}

/**
 * Scaled dot-product attention (Vaswani et al. 2017, equation 1) of each token to its row's first places.
 * @param reaches [count]: to how many
 * @param scores room for contextTokens numbers
 */
export function attend(
  mixed: usize, projected: usize, places: usize, positions: usize, reaches: usize, keys: usize, values: usize, scores: usize,
  count: i32, width: i32, heads: i32,
): void {
  const headWidth = width / heads;
  const bytes = <usize>width << 2;
  for (let index = 0; index < count; index++) {
    const position = load<i32>(positions + (<usize>index << 2));
    const reach = load<i32>(reaches + (<usize>index << 2));
    const first = <usize>(load<i32>(places + (<usize>index << 2)) - position) * bytes;
    for (let head = 0; head < heads; head++) {
      const offset = <usize>(head * headWidth) << 2;
      const query = projected + <usize>(3 * index) * bytes + offset;
      const total = scoresOf(scores, query, keys + first + offset, reach, headWidth, bytes);
      weigh(mixed + <usize>index * bytes + offset, values + first + offset, scores, reach, headWidth, bytes, total);
    }
  }
}

function dot(one: usize, other: usize, size: i32): f32 {
  let sum: f32 = 0;
  let index = 0;
  if (size >= 4) {
    let sums = f32x4.mul(v128.load(one), v128.load(other));
    for (index = 4; index + 4 <= size; index += 4) {
      const at = <usize>index << 2;
      sums = f32x4.add(sums, f32x4.mul(v128.load(one + at), v128.load(other + at)));
    }
    sum = total4(sums);
  }
  for (; index < size; index++) sum += load<f32>(one + (<usize>index << 2)) * load<f32>(other + (<usize>index << 2));
  return sum;
}

// @ts-ignore: decorator
@inline
function total4(sums: v128): f32 {
  return (
    (f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1)) +
    (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3))
  );
}

function weigh(out: usize, value: usize, weights: usize, count: i32, headWidth: i32, stride: usize, total: f32): void {
  const scale: f32 = 1 / total;
  let index = 0;
  for (; index + 4 <= headWidth; index += 4) {
    let sums = f32x4.splat(0);
    let at = value + (<usize>index << 2);
    for (let place = 0; place < count; place++, at += stride) {
      sums = f32x4.add(sums, f32x4.mul(v128.load32_splat(weights + (<usize>place << 2)), v128.load(at)));
    }
    v128.store(out + (<usize>index << 2), f32x4.mul(sums, f32x4.splat(scale)));
  }
  for (; index < headWidth; index++) {
    let sum: f32 = 0;
    let at = value + (<usize>index << 2);
    for (let place = 0; place < count; place++, at += stride) {
      sum += load<f32>(weights + (<usize>place << 2)) * load<f32>(at);
    }
    store<f32>(out + (<usize>index << 2), sum * scale);
  }
}

/** out[i] = exp((input[i] − top) · factor); gives their sum. `out` may be `input`. */
function exponentials(out: usize, input: usize, count: i32, top: f32, factor: f32): f32 {
  const tops = f32x4.splat(top);
  const factors = f32x4.splat(factor);
  let sums = f32x4.splat(0);
  let index = 0;
  for (; index + 4 <= count; index += 4) {
    const at = <usize>index << 2;
    const value = exponential(f32x4.mul(f32x4.sub(v128.load(input + at), tops), factors));
    v128.store(out + at, value);
    sums = f32x4.add(sums, value);
  }
  let sum = total4(sums);
  for (; index < count; index++) {
    const at = <usize>index << 2;
    const value = f32x4.extract_lane(exponential(f32x4.splat((load<f32>(input + at) - top) * factor)), 0);
    store<f32>(out + at, value);
    sum += value;
  }
  return sum;
}

/** exp of numbers up to 0, to about 1e-7 of each; 0 below −87. A Taylor polynomial of degree 6 on ±ln 2 / 2, scaled by a power of 2. */
// @ts-ignore: decorator
@inline
function exponential(x: v128): v128 {
  const low = f32x4.splat(-87);
  const kept = f32x4.max(x, low);
  const power = f32x4.nearest(f32x4.mul(kept, f32x4.splat(1.4426950408889634)));
  let rest = f32x4.sub(kept, f32x4.mul(power, f32x4.splat(0.693359375)));
  rest = f32x4.add(rest, f32x4.mul(power, f32x4.splat(2.12194440e-4)));
  let value = f32x4.splat(1.0 / 5040);
  value = f32x4.add(f32x4.mul(value, rest), f32x4.splat(1.0 / 720));
  value = f32x4.add(f32x4.mul(value, rest), f32x4.splat(1.0 / 120));
  value = f32x4.add(f32x4.mul(value, rest), f32x4.splat(1.0 / 24));
  value = f32x4.add(f32x4.mul(value, rest), f32x4.splat(1.0 / 6));
  value = f32x4.add(f32x4.mul(value, rest), f32x4.splat(0.5));
  value = f32x4.add(f32x4.mul(value, rest), f32x4.splat(1));
  value = f32x4.add(f32x4.mul(value, rest), f32x4.splat(1));
  const scale = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(power), i32x4.splat(127)), 23);
  return v128.and(f32x4.mul(value, scale), f32x4.ge(x, low));
}

/**
 * Draws from softmax(logits · factor) by inverting its distribution function at `uniform`, 0..1.
 * @param weights room for count numbers
 * @param found receives, as float64, the drawn logit's distance from the largest times the factor, and the sum of all exponentials
 */
export function draw(logits: usize, weights: usize, found: usize, count: i32, factor: f32, uniform: f64): i32 {
  const largest = mostProbable(logits, count);
  const top = load<f32>(logits + (<usize>largest << 2));
  exponentials(weights, logits, count, top, factor);
  let total: f64 = 0;
  for (let token = 0; token < count; token++) total += <f64>load<f32>(weights + (<usize>token << 2));
  const threshold = uniform * total;
  let drawn = largest;
  let cumulative: f64 = 0;
  for (let token = 0; token < count; token++) {
    cumulative += <f64>load<f32>(weights + (<usize>token << 2));
    if (cumulative > threshold) {
      drawn = token;
      break;
    }
  }
  store<f64>(found, <f64>(load<f32>(logits + (<usize>drawn << 2)) - top) * <f64>factor);
  store<f64>(found, total, 8);
  return drawn;
}

/** The first of the largest. */
export function mostProbable(logits: usize, count: i32): i32 {
  let largest = 0;
  let top = load<f32>(logits);
  for (let token = 1; token < count; token++) {
    const value = load<f32>(logits + (<usize>token << 2));
    if (value > top) {
      top = value;
      largest = token;
    }
  }
  return largest;
}

/** target[columns × rows] = input[rows × columns] */
export function transpose(target: usize, input: usize, rows: i32, columns: i32): void {
  for (let row = 0; row < rows; row++) {
    let from = input + (<usize>(row * columns) << 2);
    let to = target + (<usize>row << 2);
    for (let column = 0; column < columns; column++, from += 4, to += <usize>rows << 2) store<f32>(to, load<f32>(from));
  }
}

/** target[rows[i]] is added input[i] to, in the order of i. */
export function scatterAdd(target: usize, input: usize, rows: usize, count: i32, width: i32): void {
  for (let index = 0; index < count; index++) {
    const row = load<i32>(rows + (<usize>index << 2));
    const to = target + (<usize>(row * width) << 2);
    const from = input + (<usize>(index * width) << 2);
    for (let column = 0; column < width; column++) {
      const at = <usize>column << 2;
      store<f32>(to + at, load<f32>(to + at) + load<f32>(from + at));
    }
  }
}

/**
 * Log-probabilities of targets under softmax(logits · factor); logits become the probabilities.
 * @param logits [count × columns]
 * @param found receives, as float64, each row's sum of exponentials, and behind them each target's distance from the largest logit times the factor
 */
export function probabilities(logits: usize, targets: usize, found: usize, count: i32, columns: i32, factor: f32): void {
  for (let index = 0; index < count; index++) {
    const row = logits + (<usize>(index * columns) << 2);
    const top = load<f32>(row + (<usize>mostProbable(row, columns) << 2));
    const target = load<f32>(row + (<usize>load<i32>(targets + (<usize>index << 2)) << 2));
    store<f64>(found + (<usize>(count + index) << 3), <f64>(target - top) * <f64>factor);
    exponentials(row, row, columns, top, factor);
    let total: f64 = 0;
    for (let column = 0; column < columns; column++) total += <f64>load<f32>(row + (<usize>column << 2));
    store<f64>(found + (<usize>index << 3), total);
    const scale: f32 = <f32>(1 / total);
    for (let column = 0; column < columns; column++) {
      const at = row + (<usize>column << 2);
      store<f32>(at, load<f32>(at) * scale);
    }
  }
}

/**
 * From probabilities to the derivative by the logits: (target − p) · slope · factor, in place.
 * @param slopes [count] of the loss by each log-probability
 */
export function probabilitiesBack(probabilities: usize, targets: usize, slopes: usize, count: i32, columns: i32, factor: f32): void {
  for (let index = 0; index < count; index++) {
    const row = probabilities + (<usize>(index * columns) << 2);
    const slope = load<f32>(slopes + (<usize>index << 2)) * factor;
    for (let column = 0; column < columns; column++) {
      const at = row + (<usize>column << 2);
      store<f32>(at, -load<f32>(at) * slope);
    }
    const at = row + (<usize>load<i32>(targets + (<usize>index << 2)) << 2);
    store<f32>(at, load<f32>(at) + slope);
  }
}

/** Of `normalise`: adds to the derivatives by its input and by its gain. */
export function normaliseBack(
  inputSlope: usize, gainSlope: usize, outputSlope: usize, input: usize, gain: usize, rows: i32, width: i32,
): void {
  for (let row = 0; row < rows; row++) {
    const start = <usize>(row * width) << 2;
    let squares: f32 = 0;
    let along: f32 = 0;
    for (let index = 0; index < width; index++) {
      const at = <usize>index << 2;
      const value = load<f32>(input + start + at);
      squares += value * value;
      along += load<f32>(outputSlope + start + at) * load<f32>(gain + at) * value;
    }
    const scale: f32 = 1 / sqrt<f32>(squares / <f32>width + 1e-6);
    const back: f32 = scale * scale * scale * along / <f32>width;
    for (let index = 0; index < width; index++) {
      const at = <usize>index << 2;
      const value = load<f32>(input + start + at);
      const slope = load<f32>(outputSlope + start + at);
      const own = slope * load<f32>(gain + at) * scale - value * back;
      store<f32>(inputSlope + start + at, load<f32>(inputSlope + start + at) + own);
      store<f32>(gainSlope + at, load<f32>(gainSlope + at) + slope * value * scale);
    }
  }
}

/** slopes[i] = 0 where outputs[i] was cut to 0. */
export function cutBack(slopes: usize, outputs: usize, count: i32): void {
  let index = 0;
  for (; index + 4 <= count; index += 4) {
    const at = <usize>index << 2;
    const kept = f32x4.gt(v128.load(outputs + at), f32x4.splat(0));
    v128.store(slopes + at, v128.and(v128.load(slopes + at), kept));
  }
  for (; index < count; index++) {
    const at = <usize>index << 2;
    if (load<f32>(outputs + at) <= 0) store<f32>(slopes + at, 0);
  }
}

/**
 * Attention of each token to the first of its sequence. The tokens of a sequence stand one after the other.
 * @param reaches [count]: to how many
 */
export function attendWithin(
  mixed: usize, projected: usize, positions: usize, reaches: usize, scores: usize, count: i32, width: i32, heads: i32,
): void {
  const headWidth = width / heads;
  const stride = <usize>(3 * width) << 2;
  for (let index = 0; index < count; index++) {
    const position = load<i32>(positions + (<usize>index << 2));
    const reach = load<i32>(reaches + (<usize>index << 2));
    for (let head = 0; head < heads; head++) {
      const offset = <usize>(head * headWidth) << 2;
      const query = projected + <usize>index * stride + offset;
      const key = projected + <usize>(index - position) * stride + (<usize>width << 2) + offset;
      const total = scoresOf(scores, query, key, reach, headWidth, stride);
      const out = mixed + (<usize>(index * width) << 2) + offset;
      weigh(out, key + (<usize>width << 2), scores, reach, headWidth, stride, total);
    }
  }
}

/** Of `attendWithin`: adds to the derivatives of queries, keys and values, which must be 0 at first. */
export function attendWithinBack(
  projectedSlope: usize, mixedSlope: usize, projected: usize, positions: usize, reaches: usize, scores: usize,
  count: i32, width: i32, heads: i32,
): void {
  const headWidth = width / heads;
  const bytes = <usize>width << 2;
  const stride = bytes * 3;
  const factor: f32 = 1 / sqrt<f32>(<f32>headWidth);
  for (let index = 0; index < count; index++) {
    const position = load<i32>(positions + (<usize>index << 2));
    const reach = load<i32>(reaches + (<usize>index << 2));
    const first = <usize>(index - position) * stride;
    for (let head = 0; head < heads; head++) {
      const offset = <usize>(head * headWidth) << 2;
      const query = projected + <usize>index * stride + offset;
      const querySlope = projectedSlope + <usize>index * stride + offset;
      const slope = mixedSlope + <usize>index * bytes + offset;
      const keys = projected + first + bytes + offset;
      const total = scoresOf(scores, query, keys, reach, headWidth, stride);
      const scale: f32 = 1 / total;
      let along: f32 = 0;
      const slopes = scores + (<usize>reach << 2);
      for (let place = 0; place < reach; place++) {
        const at = <usize>place << 2;
        const weight = load<f32>(scores + at) * scale;
        const own = dot(slope, keys + <usize>place * stride + bytes, headWidth);
        store<f32>(scores + at, weight);
        store<f32>(slopes + at, own);
        along += weight * own;
      }
      for (let place = 0; place < reach; place++) {
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

/**
 * Dropout (Srivastava et al. 2014): sets about threshold/256 of the numbers to 0 and scales the rest up. The same seed forgets the same ones.
 * @param threshold 0..255
 */
export function forget(numbers: usize, count: i32, seed: u32, threshold: u32): void {
  const scale: f32 = <f32>256 / <f32>(<u32>256 - threshold);
  for (let index = 0; index < count; index += 4) {
    let word = mixed32(seed + <u32>index);
    for (let place = index; place < min(index + 4, count); place++, word >>= 8) {
      const at = numbers + (<usize>place << 2);
      store<f32>(at, (word & 255) < threshold ? 0 : load<f32>(at) * scale);
    }
  }
}

/** MurmurHash3's finaliser. */
function mixed32(input: u32): u32 {
  let word = (input ^ (input >> 16)) * 0x85ebca6b;
  word = (word ^ (word >> 13)) * 0xc2b2ae35;
  return word ^ (word >> 16);
}

/** Exponentials of the scores, up to a common factor; gives their sum. */
function scoresOf(scores: usize, query: usize, keys: usize, count: i32, headWidth: i32, stride: usize): f32 {
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

// @ts-ignore: decorator
@inline
function addScaled(target: usize, input: usize, factor: f32, size: i32): void {
  const factors = f32x4.splat(factor);
  let index = 0;
  for (; index + 4 <= size; index += 4) {
    const at = <usize>index << 2;
    v128.store(target + at, f32x4.add(v128.load(target + at), f32x4.mul(v128.load(input + at), factors)));
  }
  for (; index < size; index++) {
    const at = <usize>index << 2;
    store<f32>(target + at, load<f32>(target + at) + load<f32>(input + at) * factor);
  }
}
