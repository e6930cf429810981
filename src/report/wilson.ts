/** Two-sided 95 % quantile of the standard normal distribution. */
const z95 = 1.959963984540054;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * 95 % score interval of a proportion, as a fraction in [0, 1]; [0, 1] where nothing was counted. It stays honest at
 * 0 and n successes, where the normal approximation collapses to a point.
 *
 * Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the
 * American Statistical Association 22 (1927), 209–212, without continuity correction.
 */
export function wilson(successes: number, count: number): Interval {
  if (!(successes >= 0 && successes <= count)) {
    throw new RangeError(`wilson needs 0 <= successes <= count, got ${successes} of ${count}`);
  }
  if (count === 0) return { low: 0, high: 1 };
  const share = successes / count;
  const weight = z95 ** 2 / count;
  const centre = (share + weight / 2) / (1 + weight);
  const reach = (z95 / (1 + weight)) * Math.sqrt((share * (1 - share)) / count + weight / (4 * count));
  // At the ends the exact bounds are 0 and 1; rounding must not move them.
  return {
    low: successes === 0 ? 0 : centre - reach,
    high: successes === count ? 1 : centre + reach,
  };
}
