import type { Severity } from "../core/syscall.ts";
import { penaltyOf } from "./policy-violation.ts";

export interface PenaltyOptions {
  readonly criticalPenalty?: number;
  readonly highPenalty?: number;
  readonly mediumPenalty?: number;
  readonly lowPenalty?: number;
}

/**
 * Sum of the penalties of violations, by severity alone; one without a severity, or with an unknown one, counts as medium.
 * @returns ≤ 0: the penalties are given as in the specification, as negative numbers.
 */
export function policyPenalty(
  violations: readonly { readonly severity?: string }[],
  { criticalPenalty = -100, highPenalty = -50, mediumPenalty = -10, lowPenalty = -1 }: PenaltyOptions = {},
): number {
  const prices: Readonly<Record<Severity, number>> = {
    critical: criticalPenalty,
    high: highPenalty,
    medium: mediumPenalty,
    low: lowPenalty,
  };
  const sum = violations.reduce((total, { severity }) => total + penaltyOf(severity, prices), 0);
  if (sum <= 0) return sum;
  throw new RangeError(`policyPenalty: penalties must be at most 0, got ${JSON.stringify(prices)}`);
}
