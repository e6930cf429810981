import type { Scaling } from "./bench-report.ts";

/** Cores that are projected to. */
export const projectedWorkers = [8, 32, 128] as const;

/**
 * Fits Amdahl's law, seconds an episode = a + b / workers with a, b ≥ 0, by least squares of the relative error (Amdahl 1967).
 * @param measured Episodes a second by number of workers; `null` comes back where fewer than two different numbers are there.
 */
export function fitAmdahl(
  measured: readonly { readonly workers: number; readonly episodesPerSecond: number }[],
): Pick<Scaling, "serialFraction" | "projected"> | null {
  const points = measured.filter(({ workers, episodesPerSecond }) => workers > 0 && episodesPerSecond > 0);
  if (new Set(points.map(({ workers }) => workers)).size < 2) return null;
  const { serial, parallel } = leastSquares(points);
  const rateOf = (workers: number) => 1 / (serial + parallel / workers);
  return {
    serialFraction: serial / (serial + parallel),
    projected: projectedWorkers.map((workers) => ({
      workers,
      episodesPerSecond: rateOf(workers),
      speedup: rateOf(workers) / rateOf(1),
    })),
  };
}

/** Minimises Σ (rate · (serial + parallel / workers) − 1)². Where that would make one of them negative, it is 0, and the other is fitted alone. */
function leastSquares(points: readonly { readonly workers: number; readonly episodesPerSecond: number }[]) {
  const sum = (of: (serial: number, parallel: number) => number) =>
    points.reduce((total, { workers, episodesPerSecond: rate }) => total + of(rate, rate / workers), 0);
  const [ss, sp, pp] = [sum((s) => s * s), sum((s, p) => s * p), sum((_, p) => p * p)];
  const [s1, p1] = [sum((s) => s), sum((_, p) => p)];
  const determinant = ss * pp - sp * sp;
  const serial = (s1 * pp - p1 * sp) / determinant;
  const parallel = (p1 * ss - s1 * sp) / determinant;
  if (serial < 0) return { serial: 0, parallel: p1 / pp };
  if (parallel < 0) return { serial: s1 / ss, parallel: 0 };
  return { serial, parallel };
}
