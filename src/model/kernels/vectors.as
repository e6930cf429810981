// Small parts of the other kernels.

export function dot(one: usize, other: usize, size: i32): f32 {
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
export function total4(sums: v128): f32 {
  return (
    (f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1)) +
    (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3))
  );
}

// @ts-ignore: decorator
@inline
export function addScaled(target: usize, input: usize, factor: f32, size: i32): void {
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

export function weigh(out: usize, value: usize, weights: usize, count: i32, headWidth: i32, stride: usize, total: f32): void {
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
