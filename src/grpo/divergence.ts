import type { LossSettings } from "./algorithm-options.ts";

/** verl's too: one token that has become very improbable would else be the whole gradient. */
const k3Max = 10;

/**
 * Estimate of KL(π ‖ reference) from one token that π chose (Schulman 2020), and its slope by log π. k3 is held at 10,
 * without slope beyond.
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
      const value = inverse + logRatio - 1;
      return value > k3Max ? { value: k3Max, slope: 0 } : { value, slope: 1 - inverse };
    }
    default:
      return estimator satisfies never;
  }
}
