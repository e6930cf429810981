import type { SessionCounts } from "../kernel/kernel-session.ts";

export interface ReconciledCounts extends SessionCounts {
  /** Syscalls whose answers were looked at, and violations that were given a price. */
  readonly penalised: { readonly syscalls: number; readonly violations: number };
}

/** How the counts of one episode disagree, in words; `null` where all three say the same. */
export function disagreement({ mediated, recorded, penalised }: ReconciledCounts): string | null {
  const agree = [recorded, penalised].every(
    ({ syscalls, violations }) => syscalls === mediated.syscalls && violations === mediated.violations,
  );
  if (agree) return null;
  const told = Object.entries({ mediated, recorded, penalised }).map(
    ([what, { syscalls, violations }]) => `${what} ${syscalls} syscalls with ${violations} violations`,
  );
  return `the counts of the episode disagree: ${told.join(", ")}`;
}
