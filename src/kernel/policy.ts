import type { Severity, Syscall, SyscallOutcome } from "../core/syscall.ts";
import type { SqlRules } from "./drivers/sql/sql-rules.ts";

/** What is done with a policy's findings: kept to, only told, or not even looked for. */
export const policyModes = ["enforce", "shadow", "off"] as const;
export type PolicyMode = (typeof policyModes)[number];

/** A compiled rule set. Frozen when it is made; what an episode changes lives in its {@link Judge}. */
export interface Policy {
  /** Names the policy in violations. */
  readonly name: string;
  /** Plain data from which another thread makes the same policy. */
  readonly spec: Readonly<Record<string, unknown>> & { readonly type: string; readonly mode?: PolicyMode };
  /** What the hash of the policy set covers, where that is not the spec. */
  readonly identity?: unknown;
  /** Loads what the policy needs, once, before its first judge. */
  load?(): Promise<void>;
  /** A judge for one episode. */
  judge(): Judge;
}

/** A syscall as it will be performed: a frozen copy, which neither agent nor driver can change. */
export interface Call extends Syscall {
  /** Counts the syscalls of the episode from 0: its logical clock. */
  readonly step: number;
}

/** What a syscall used besides itself, as its driver counts it; all of it logical, so that runs repeat exactly. */
export interface Usage {
  /** Steps of an engine, such as SQLite's virtual machine. */
  readonly steps?: number;
  readonly tokens?: number;
  /** Cost in US dollars. */
  readonly usd?: number;
}

/** What became of a syscall. */
export interface Reply {
  readonly outcome: SyscallOutcome;
  /** Whether its driver performed it, or failed in trying: the effect of one that is denied may have happened all the same. */
  readonly ran?: boolean;
  readonly result?: unknown;
  readonly error?: string;
  readonly usage?: Usage;
}

/** What a judge says of a syscall: a rule of its policy, and what follows. */
export interface Finding {
  readonly decision: "warn" | "transform" | "escalate" | "deny";
  readonly rule: string;
  readonly severity: Severity;
  readonly description: string;
  /** With `transform`: what the arguments, the result or the error text become. */
  readonly value?: unknown;
}

export const noFindings: readonly Finding[] = Object.freeze([]);

/**
 * Judges the syscalls of one episode, in order. `before` and `after` may be asked more than once of one syscall, and must not change the
 * judge; `settled` is called once for each syscall and is the place to count in. What any of them throws denies.
 */
export interface Judge {
  /** What the syscall breaks before it does anything. */
  before?(call: Call): readonly Finding[];
  /**
   * What its result breaks, or its error text, where it ran: a `deny` withholds it. The effect has happened.
   * @param value The result where it completed, else the error text.
   */
  after?(call: Call, reply: Reply, value: unknown): readonly Finding[];
  /** What is known only when it is over, of syscalls that were denied too: every finding counts as `warn`. */
  settled?(call: Call, reply: Reply): readonly Finding[];
  /** Rules that the `sql` driver applies while a text runs. */
  readonly sql?: SqlRules;
}
