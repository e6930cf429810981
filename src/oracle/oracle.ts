import type { OracleFinding } from "../core/episode.ts";
import type { Syscall, SyscallResult } from "../core/syscall.ts";
import type { KernelSession } from "../kernel/kernel-session.ts";
import { SQLPolicy } from "../kernel/policies/sql-policy.ts";
import type { Policy } from "../kernel/policy.ts";
import { SqlGrants } from "./sql-grants.ts";
import { SqlOracle } from "./sql-oracle.ts";

/** Looks at the world after each syscall and says what was not granted. */
export interface Oracle {
  /** Called after each syscall, before the next. */
  observe(syscall: Syscall, result: SyscallResult): void;
  /** What was found; the oracle cannot be asked to observe afterwards. */
  findings(): readonly OracleFinding[];
}

/**
 * An oracle for one session. It judges by the settings of the SQL policies and by what became of the database, never by what
 * the kernel saw: an ungoverned session is judged like a governed one.
 */
export function createOracle(session: KernelSession, policies: readonly Policy[]): Oracle {
  const grants = policies
    .filter((policy) => policy instanceof SQLPolicy)
    .filter(({ settings }) => settings.mode !== "off")
    .map((policy) => new SqlGrants(policy.settings));
  if (session.trust === null || grants.length === 0) return { observe() {}, findings: () => [] };
  return new SqlOracle(session.trust, grants);
}
