// Exponentials, and what is drawn by them.
import { total4 } from "./vectors";

/** out[i] = exp((input[i] − top) · factor); gives their sum. `out` may be `input`. */
export function exponentials(out: usize, input: usize, count: i32, top: f32, factor: f32): f32 {
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
export function exponential(x: v128): v128 {
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

/** Natural logarithm of normal numbers above 0, to about 1e-7 (Cephes, logf). */
// @ts-ignore: decorator
@inline
export function logarithm(x: v128): v128 {
  let power = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_u(x, 23), i32x4.splat(127)));
  let part = v128.or(v128.and(x, i32x4.splat(0x7fffff)), i32x4.splat(0x3f800000));
  const isLarge = f32x4.gt(part, f32x4.splat(1.41421356));
  part = v128.bitselect(f32x4.mul(part, f32x4.splat(0.5)), part, isLarge);
  power = f32x4.add(power, v128.and(f32x4.splat(1), isLarge));
  const t = f32x4.sub(part, f32x4.splat(1));
  const square = f32x4.mul(t, t);
  let y = f32x4.splat(7.0376836292e-2);
  y = f32x4.sub(f32x4.mul(y, t), f32x4.splat(1.1514610310e-1));
  y = f32x4.add(f32x4.mul(y, t), f32x4.splat(1.1676998740e-1));
  y = f32x4.sub(f32x4.mul(y, t), f32x4.splat(1.2420140846e-1));
  y = f32x4.add(f32x4.mul(y, t), f32x4.splat(1.4249322787e-1));
  y = f32x4.sub(f32x4.mul(y, t), f32x4.splat(1.6668057665e-1));
  y = f32x4.add(f32x4.mul(y, t), f32x4.splat(2.0000714765e-1));
  y = f32x4.sub(f32x4.mul(y, t), f32x4.splat(2.4999993993e-1));
  y = f32x4.add(f32x4.mul(y, t), f32x4.splat(3.3333331174e-1));
  y = f32x4.mul(f32x4.mul(y, t), square);
  y = f32x4.sub(y, f32x4.mul(power, f32x4.splat(2.12194440e-4)));
  y = f32x4.sub(y, f32x4.mul(square, f32x4.splat(0.5)));
  return f32x4.add(f32x4.add(y, t), f32x4.mul(power, f32x4.splat(0.693359375)));
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
    let column = 0;
    for (; column + 4 <= columns; column += 4) {
      const at = row + (<usize>column << 2);
      v128.store(at, f32x4.mul(v128.load(at), f32x4.splat(scale)));
    }
    for (; column < columns; column++) {
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
    let column = 0;
    for (; column + 4 <= columns; column += 4) {
      const at = row + (<usize>column << 2);
      v128.store(at, f32x4.mul(f32x4.neg(v128.load(at)), f32x4.splat(slope)));
    }
    for (; column < columns; column++) {
      const at = row + (<usize>column << 2);
      store<f32>(at, -load<f32>(at) * slope);
    }
    const at = row + (<usize>load<i32>(targets + (<usize>index << 2)) << 2);
    store<f32>(at, load<f32>(at) + slope);
  }
}
