// What is done to rows of numbers.

/** target[i] = input[rows[i]] */
export function takeRows(target: usize, input: usize, rows: usize, count: i32, width: i32): void {
  const bytes = <usize>width << 2;
  for (let index = 0; index < count; index++) {
    const row = load<i32>(rows + (<usize>index << 2));
    memory.copy(target + <usize>index * bytes, input + <usize>row * bytes, bytes);
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
