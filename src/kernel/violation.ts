import { type Severity, severityRank, type Violation } from "../core/syscall.ts";
import type { Found } from "./compose.ts";

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

/** What became of a syscall that findings are about. */
export interface Fate {
  readonly denied: boolean;
  /** What a resolver answered, where it was asked. */
  readonly resolved?: "allow" | "deny";
}

/** A finding as the agent is told of it. */
export function violationOf({ policy, rule, severity, description, decision, shadow }: Found, fate: Fate): Violation {
  const told = { policy, rule, severity, description };
  if (shadow) return { ...told, type: "WARNED", blocked: false, penalty: 0 };
  switch (decision) {
    case "deny":
      return violation(told);
    case "escalate":
      if (fate.resolved !== "allow") return violation(told);
      return { ...told, description: `${description}; the resolver allowed it`, ...warned, penalty: 0 };
    case "transform":
      // What a denied syscall would have become, nobody sees.
      return { ...told, ...(fate.denied ? warned : { type: "MODIFIED", blocked: false }) };
    case "warn":
      return { ...told, ...warned };
    default:
      return decision satisfies never;
  }
}

const warned = { type: "WARNED", blocked: false } as const;

/** The same violation of a policy that only watches: it blocks nothing and costs nothing. */
export function watched(broken: Violation): Violation {
  return Object.freeze({ ...broken, type: "WARNED", blocked: false, penalty: 0 });
}

/** Each violation once, the most severe first; equal ones keep the order in which they were found. */
export function ranked(violations: readonly Violation[]): readonly Violation[] {
  if (violations.length < 2) return violations;
  const distinct = new Map<string, Violation>();
  for (const found of violations) {
    const key = `${found.policy}\0${found.rule}\0${found.description}\0${found.blocked}`;
    const known = distinct.get(key);
    if (known === undefined || severityRank(known.severity) < severityRank(found.severity)) distinct.set(key, found);
  }
  return [...distinct.values()].sort((a, b) => severityRank(b.severity) - severityRank(a.severity));
}

const describedMax = 4;

/** Why a syscall was denied, for the agent to read. */
export function denial(violations: readonly Violation[]): string {
  const blocking = violations.filter(({ blocked }) => blocked);
  const described = blocking.slice(0, describedMax).map((found) => `denied by ${found.policy}: ${found.description}`);
  const more = blocking.length - described.length;
  return described.join("; ") + (more > 0 ? `; and ${more} more` : "");
}
