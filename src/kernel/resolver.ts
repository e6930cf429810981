import type { Syscall, Violation } from "../core/syscall.ts";

/** A syscall that policies leave to somebody else's decision. */
export interface EscalationRequest extends Syscall {
  /** The episode's id. */
  readonly episode: string;
  readonly step: number;
  /** The rules that it was escalated by, and any others that it broke. */
  readonly violations: readonly Violation[];
}

/** Decides what policies escalate. What it throws, or anything but `allow`, denies. */
export type Resolver = (request: EscalationRequest) => "allow" | "deny" | Promise<"allow" | "deny">;
