import type { Interval } from "./wilson.ts";

/** A mean and its 95 % interval. */
export interface MeanInterval extends Interval {
  readonly mean: number;
}

/**
 * Mean of independent values, such as one a seed, with Student's t interval, cut to what a rate can be: [0, 1]. A single value gives
 * no interval but [0, 1]; values without spread one of no width, which says that they agreed, not that the next one will.
 */
export function meanInterval(values: readonly number[]): MeanInterval {
  if (values.length === 0) throw new RangeError("meanInterval needs at least one value");
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean, low: 0, high: 1 };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const error = Math.sqrt(squares / (values.length - 1) / values.length);
  const reach = t95(values.length - 1) * error;
  return { mean, low: Math.max(0, mean - reach), high: Math.min(1, mean + reach) };
}

/** Two-sided 95 % quantiles of Student's t distribution, for 1, 2, … degrees of freedom. */
const quantiles = [
  ...[12.7062047362, 4.30265272991, 3.18244630528, 2.7764451052, 2.57058183661, 2.44691184879, 2.36462425101],
  ...[2.30600413503, 2.26215716274, 2.22813885196],
] as const;
const z95 = 1.959963984540054;

/** Beyond the table, the expansion about the normal quantile (Abramowitz and Stegun 1964, 26.7.5), right to 4 digits there. */
function t95(freedom: number): number {
  const z = z95;
  const expanded = z + (z ** 3 + z) / (4 * freedom) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2);
  return quantiles[freedom - 1] ?? expanded;
}
