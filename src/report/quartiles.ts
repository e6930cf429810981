export interface Quartiles {
  readonly p25: number;
  readonly median: number;
  readonly p75: number;
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Quartiles of a sample; see {@link quantiles}. */
export function quartilesOf(values: readonly number[]): Quartiles {
  const [p25 = 0, median = 0, p75 = 0] = quantiles(values, [0.25, 0.5, 0.75]);
  return { p25, median, p75 };
}

/** The middle and the tail of a sample; see {@link quantiles}. */
export function percentilesOf(values: readonly number[]): Percentiles {
  const [p50 = 0, p95 = 0, p99 = 0] = quantiles(values, [0.5, 0.95, 0.99]);
  return { p50, p95, p99 };
}

/** Interpolated linearly between the order statistics of a sample (Hyndman and Fan 1996, definition 7). */
function quantiles(values: readonly number[], shares: readonly number[]): readonly number[] {
  if (values.length === 0) throw new RangeError("quantiles need at least one value");
  const sorted = Float64Array.from(values).sort();
  return shares.map((share) => {
    const place = share * (sorted.length - 1);
    const low = sorted[Math.floor(place)] as number;
    const high = sorted[Math.ceil(place)] as number;
    return low + (high - low) * (place - Math.floor(place));
  });
}
