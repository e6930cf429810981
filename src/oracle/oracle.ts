import type { OracleFinding } from "../core/episode.ts";
import type { Syscall, SyscallResult } from "../core/syscall.ts";
import type { KernelSession } from "../kernel/kernel-session.ts";
import type { Policy } from "../kernel/policy.ts";

/** Looks at the world after each syscall and says what was not granted. */
export interface Oracle {
  /** Called after each syscall, before the next. */
  observe(syscall: Syscall, result: SyscallResult): void;
  findings(): readonly OracleFinding[];
}

export function createOracle(_session: KernelSession, _policies: readonly Policy[]): Oracle {
  return { observe() {}, findings: () => [] };
}
