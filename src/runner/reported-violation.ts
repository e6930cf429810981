import { PolicyViolation, type PolicyViolationType, policyViolationTypes } from "./policy-violation.ts";

/**
 * A violation in any form that kernels report it in: a plain object, an object of a class, or a `Map`; `policy`, `policyName` or
 * `policy_name`; `blocked`, `actionBlocked` or `action_blocked`; `type`, `violationType` or `violation_type`.
 */
export type ReportedViolation = object | string;

/** What was said besides the first argument, by kernels that call with (policyName, description, severity, blocked). */
export type ReportDetails = readonly [description?: unknown, severity?: unknown, blocked?: unknown];

/**
 * Reads a report. Never throws: what cannot be read is a critical violation, since a report that says nothing must not pass for none.
 * @param severity What a report without one has.
 */
export function readReport(reported: unknown, details: ReportDetails, severity: string): PolicyViolation {
  try {
    if (reported instanceof PolicyViolation) return reported;
    if (typeof reported === "object" && reported !== null) return fromFields(reported, severity);
    const [description, givenSeverity, blocked] = details;
    const fields = { policyName: reported, description, severity: givenSeverity, blocked };
    return typeof reported === "string" ? fromFields(fields, severity) : unreadable(`a kernel reported ${reported}`);
  } catch {
    return unreadable("a kernel reported a violation that cannot be read");
  }
}

/** Stands for whatever could not be read: it is blocked, and costs what the worst does. */
export function unreadable(description: string): PolicyViolation {
  return new PolicyViolation({
    violationType: "blocked",
    policyName: "kernel",
    rule: "unreadable",
    description,
    severity: "critical",
    actionBlocked: true,
  });
}

/** A kernel may throw a violation that it has not reported; one that it has is not counted twice. */
export function withThrown(
  violations: readonly PolicyViolation[],
  thrown: PolicyViolation | undefined,
): readonly PolicyViolation[] {
  const known = violations.some(
    (violation) =>
      violation === thrown ||
      (violation.policyName === thrown?.policyName && violation.description === thrown.description),
  );
  return thrown === undefined || known ? violations : [...violations, thrown];
}

function fromFields(reported: object, defaultSeverity: string): PolicyViolation {
  const blocked = field(reported, "blocked", "actionBlocked", "action_blocked") === true;
  const penalty = field(reported, "penalty");
  const rule = field(reported, "rule");
  return new PolicyViolation({
    violationType: typeOf(field(reported, "type", "violationType", "violation_type"), blocked),
    policyName: text(field(reported, "policy", "policyName", "policy_name"), "unknown"),
    description: text(field(reported, "description"), "no description"),
    severity: text(field(reported, "severity"), defaultSeverity),
    actionBlocked: blocked,
    ...(typeof penalty === "number" ? { penalty } : {}),
    ...(typeof rule === "string" ? { rule } : {}),
  });
}

function field(reported: object, ...names: readonly string[]): unknown {
  const values = names.map((name) =>
    reported instanceof Map ? reported.get(name) : (reported as Readonly<Record<string, unknown>>)[name],
  );
  return values.find((value) => value !== undefined && value !== null);
}

function typeOf(given: unknown, blocked: boolean): PolicyViolationType {
  const name = String(given).toLowerCase();
  return policyViolationTypes.find((type) => type === name) ?? (blocked ? "blocked" : "warned");
}

function text(value: unknown, otherwise: string): string {
  return value === undefined ? otherwise : String(value);
}
