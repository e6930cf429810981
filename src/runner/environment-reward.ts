import { isPenalised } from "../core/syscall.ts";
import type { EnvironmentSettings } from "./environment-options.ts";
import type { PolicyViolation } from "./policy-violation.ts";

/** What a step earned, by channel. */
export interface StepReward {
  /** Everything together. */
  readonly reward: number;
  /** Without the penalties for violations. */
  readonly taskReward: number;
  /** The penalties for violations, as a cost ≥ 0. */
  readonly cost: number;
}

const multipliers: Readonly<Record<string, number>> = { critical: 10, high: 5 };

/**
 * base + step penalty − cost, plus the bonus for a success on a step without a violation: part of the total, and never paid beside a
 * violation. A violation with a price of its own costs that.
 */
export function stepReward(
  step: { readonly base: number; readonly success: boolean; readonly violations: readonly PolicyViolation[] },
  { stepPenalty, successBonus, violationPenalty }: EnvironmentSettings,
): StepReward {
  const cost = step.violations.reduce((sum, violation) => sum + costOf(violation, 0 - violationPenalty), 0);
  const clean = step.success && !step.violations.some(isPenalised);
  const taskReward = step.base + stepPenalty + (clean ? successBonus : 0);
  return { reward: taskReward - cost, taskReward, cost };
}

function costOf({ hasOwnPenalty, penalty, severity }: PolicyViolation, unit: number): number {
  return hasOwnPenalty ? penalty : unit * (multipliers[severity] ?? 1);
}
