import { type Severity, severityRank, type Violation } from "../core/syscall.ts";

export const noViolations: readonly Violation[] = Object.freeze([]);

/** A rule that was broken and whose effect was kept from happening. Frozen, so that it can be made once and shared. */
export function violation(rule: { policy: string; rule: string; severity: Severity; description: string }): Violation {
  return Object.freeze({ ...rule, type: "BLOCKED", blocked: true });
}

/** What denies the syscalls of an episode that a signal ended: it costs nothing. */
export function signalSent(rule: string, description: string): Violation {
  return Object.freeze({
    ...{ policy: "kernel", rule, severity: "low", description },
    ...{ type: "SIGNAL_SENT", blocked: true, penalty: 0 },
  });
}

/** Each violation once, the most severe first; equal ones keep the order in which they were found. */
export function ranked(violations: readonly Violation[]): readonly Violation[] {
  if (violations.length < 2) return violations;
  const distinct = new Map<string, Violation>();
  for (const found of violations) {
    const key = `${found.policy}\0${found.rule}\0${found.description}`;
    const known = distinct.get(key);
    if (known === undefined || severityRank(known.severity) < severityRank(found.severity)) distinct.set(key, found);
  }
  return [...distinct.values()].sort((a, b) => severityRank(b.severity) - severityRank(a.severity));
}

const describedMax = 4;

/** Why a syscall was denied, for the agent to read. */
export function denial(violations: readonly Violation[]): string {
  const described = violations.slice(0, describedMax).map((found) => `denied by ${found.policy}: ${found.description}`);
  const more = violations.length - described.length;
  return described.join("; ") + (more > 0 ? `; and ${more} more` : "");
}
