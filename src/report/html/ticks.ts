/** Where a scale begins, ends, and has its marks. */
export interface Ticks {
  readonly values: readonly number[];
  readonly low: number;
  readonly high: number;
  /** Decimals that tell neighbouring marks apart. */
  readonly decimals: number;
}

/** About `count` round values (1, 2 or 5 times a power of ten apart) that enclose the range. */
export function ticksOf(range: { readonly low: number; readonly high: number }, count: number): Ticks {
  const high = isFlat(range) ? range.low + Math.max(1, Math.abs(range.low)) : range.high;
  const step = roundStep((high - range.low) / count);
  const first = Math.floor(range.low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  const values = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
  return { values, low: first * step, high: last * step, decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

/** Differences that rounding makes are not worth a scale, and too small to divide by. */
function isFlat({ low, high }: { readonly low: number; readonly high: number }): boolean {
  return high - low <= 1e-9 * Math.max(1e-3, Math.abs(low), Math.abs(high));
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough * (1 - 1e-9)) ?? 10;
  return factor * power;
}
