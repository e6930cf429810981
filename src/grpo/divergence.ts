import type { LossSettings } from "./algorithm-options.ts";

/**
 * Estimate of KL(π ‖ reference) from one token that π chose (Schulman 2020), and its slope by log π.
 * @param logRatio log π − log reference.
 */
export function divergence(
  logRatio: number,
  estimator: LossSettings["klEstimator"],
): { readonly value: number; readonly slope: number } {
  switch (estimator) {
    case "k1":
      return { value: logRatio, slope: 1 };
    case "k2":
      return { value: (logRatio * logRatio) / 2, slope: logRatio };
    case "k3": {
      const inverse = Math.exp(-logRatio);
      return { value: inverse + logRatio - 1, slope: 1 - inverse };
    }
    default:
      return estimator satisfies never;
  }
}
