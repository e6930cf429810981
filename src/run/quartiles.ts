export interface Quartiles {
  readonly p25: number;
  readonly median: number;
  readonly p75: number;
}

/** Quartiles of a sample, interpolated linearly between its order statistics (Hyndman and Fan 1996, definition 7). */
export function quartilesOf(values: readonly number[]): Quartiles {
  if (values.length === 0) throw new RangeError("quartilesOf needs at least one value");
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const low = sorted[Math.floor(place)] as number;
    const high = sorted[Math.ceil(place)] as number;
    return low + (high - low) * (place - Math.floor(place));
  };
  return { p25: at(0.25), median: at(0.5), p75: at(0.75) };
}
