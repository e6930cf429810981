import { FaradayError } from "../core/errors.ts";
import type { Severity, Violation } from "../core/syscall.ts";

/** How a kernel responded to what was not permitted. */
export const policyViolationTypes = ["blocked", "modified", "warned", "signal_sent"] as const;
export type PolicyViolationType = (typeof policyViolationTypes)[number];

/** What a violation costs where nobody says otherwise: magnitudes. */
export const severityPenalties: Readonly<Record<Severity, number>> = Object.freeze({
  critical: 100,
  high: 50,
  medium: 10,
  low: 1,
});

export interface PolicyViolationFields {
  readonly violationType: PolicyViolationType;
  readonly policyName: string;
  readonly description: string;
  /** One of {@link severityPenalties}; any other costs what a medium one does. */
  readonly severity: string;
  readonly timestamp?: Date;
  readonly actionBlocked?: boolean;
  /** A price of its own, ≥ 0; it is never overwritten. */
  readonly penalty?: number | null;
  /** The rule within the policy, where it is known. */
  readonly rule?: string;
}

/** A violation as it is reported of a step: with the time at which it was seen, and its price. */
export class PolicyViolation {
  readonly violationType: PolicyViolationType;
  readonly policyName: string;
  readonly description: string;
  readonly severity: string;
  readonly timestamp: Date;
  readonly actionBlocked: boolean;
  readonly penalty: number;
  /** Whether the penalty is the violation's own, instead of its severity's. */
  readonly hasOwnPenalty: boolean;
  readonly rule: string | null;

  constructor(fields: PolicyViolationFields) {
    this.violationType = fields.violationType;
    this.policyName = fields.policyName;
    this.description = fields.description;
    this.severity = fields.severity;
    this.timestamp = fields.timestamp ?? new Date();
    this.actionBlocked = fields.actionBlocked ?? false;
    this.hasOwnPenalty = isPenalty(fields.penalty);
    this.penalty = isPenalty(fields.penalty) ? fields.penalty : penaltyOf(fields.severity, severityPenalties);
    this.rule = fields.rule ?? null;
    Object.freeze(this);
  }

  /** The kernel's own violation, in the words of a report. */
  static of(violation: Violation): PolicyViolation {
    return new PolicyViolation({
      violationType: violation.type.toLowerCase() as PolicyViolationType,
      policyName: violation.policy,
      rule: violation.rule,
      description: violation.description,
      severity: violation.severity,
      actionBlocked: violation.blocked,
      ...(violation.penalty === undefined ? {} : { penalty: violation.penalty }),
    });
  }
}

/** Thrown inside an action that was blocked, under `failOnViolation`. */
export class PolicyViolationError extends FaradayError {
  readonly violation: PolicyViolation;

  constructor(violation: PolicyViolation) {
    super(`Policy violation: ${violation.description}`);
    this.name = "PolicyViolationError";
    this.violation = violation;
  }
}

/** The price of a severity; that of a medium one where the severity is missing or unknown. */
export function penaltyOf(severity: unknown, prices: Readonly<Record<Severity, number>>): number {
  return typeof severity === "string" && Object.hasOwn(prices, severity) ? prices[severity as Severity] : prices.medium;
}

function isPenalty(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}
