import type { Syscall, Violation } from "../core/syscall.ts";
import type { SqlRules } from "./drivers/sql/sql-rules.ts";

/** A compiled rule set. Frozen when it is made; what an episode changes lives in its {@link Judge}. */
export interface Policy {
  /** Names the policy in violations. */
  readonly name: string;
  /** Plain data from which another thread makes the same policy. */
  readonly spec: Readonly<Record<string, unknown>> & { readonly type: string };
  /** A judge for one episode. */
  judge(): Judge;
}

/** Judges the syscalls of one episode, in order. */
export interface Judge {
  /** Every rule that the syscall breaks before it does anything; empty where none. */
  before?(syscall: Syscall): readonly Violation[];
  /** Rules that the `sql` driver applies while a text runs. */
  readonly sql?: SqlRules;
}
