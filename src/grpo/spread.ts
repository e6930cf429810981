/** Sums run from the first value to the last, so that the same values give the same bits. */
export function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation by n − ddof; 0 where there are too few values. */
export function deviationOf(values: readonly number[], ddof: number): number {
  if (values.length <= ddof) return 0;
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - ddof));
}
