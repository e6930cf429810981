/**
 * The vocabulary between an agent and its kernel: what is asked, what was decided, what came of it.
 */

/** The only way an agent acts: a named operation of a mounted driver, e.g. `sql.query`, with its arguments. */
export interface Syscall {
  readonly syscall: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** From the mildest to the most severe: `deny` and `escalate` keep the effect from happening. */
export const verdicts = ["allow", "warn", "transform", "deny", "escalate"] as const;
export type Verdict = (typeof verdicts)[number];

export const severities = ["low", "medium", "high", "critical"] as const;
export type Severity = (typeof severities)[number];

export const violationTypes = ["BLOCKED", "MODIFIED", "WARNED", "SIGNAL_SENT"] as const;
export type ViolationType = (typeof violationTypes)[number];

/** One rule that one syscall broke. */
export interface Violation {
  /** The policy that judged, e.g. `sql`, `budget`, or `kernel` for the kernel's own rules. */
  readonly policy: string;
  /** The rule within the policy, e.g. `DELETE` or `read users.password_hash`. */
  readonly rule: string;
  readonly severity: Severity;
  readonly type: ViolationType;
  readonly description: string;
  /** Whether the kernel kept the effect from happening. */
  readonly blocked: boolean;
  /** A price of its own, ≥ 0, instead of its severity's; 0 where a policy only watches (mode `shadow`). */
  readonly penalty?: number;
}

export const syscallOutcomes = ["completed", "denied", "failed"] as const;
export type SyscallOutcome = (typeof syscallOutcomes)[number];

/** The kernel's answer to one syscall. */
export interface SyscallResult {
  readonly verdict: Verdict;
  /** Every rule that was broken, the most severe first; empty when nothing was. */
  readonly violations: readonly Violation[];
  readonly outcome: SyscallOutcome;
  /** What policies made of the arguments, where they changed them before the driver was given them. */
  readonly args?: Syscall["args"];
  /** What the driver returned, when `outcome` is `completed`. */
  readonly result?: unknown;
  /** Why it was denied or failed, in words that an agent can act on. */
  readonly error?: string;
}

/** Position in {@link severities}: a larger rank is more severe. */
export function severityRank(severity: Severity): number {
  return severities.indexOf(severity);
}

/** Whether a violation counts: one that stopped and changed nothing, and has a price of 0, is only watched. */
export function isPenalised({ penalty, type }: { readonly penalty?: number; readonly type?: string }): boolean {
  return penalty !== 0 || type === "BLOCKED" || type === "MODIFIED";
}
