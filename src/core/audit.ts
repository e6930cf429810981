import type { SyscallOutcome, Verdict, Violation } from "./syscall.ts";

/**
 * One entry of a flight recorder. Every syscall has two: `intent` before its effect, `outcome` after. Every episode
 * begins with `start` and ends with `end`.
 */
export type AuditRecord = AuditPlace &
  (
    | { readonly kind: "start"; readonly task: string; readonly seed: number; readonly weights: number }
    | { readonly kind: "intent"; readonly step: number; readonly syscall: string; readonly args: unknown }
    | {
        readonly kind: "outcome";
        readonly step: number;
        readonly verdict: Verdict;
        readonly outcome: SyscallOutcome;
        readonly violations: readonly Violation[];
        readonly error?: string;
      }
    | { readonly kind: "end"; readonly outcome: string; readonly reward: number; readonly cost: number }
  );

interface AuditPlace {
  /** Counts from 0 without a gap over the life of one recorder. */
  readonly sequence: number;
  /** The episode's id, unique in its run. */
  readonly episode: string;
}

/** Consecutive records of one recorder, sealed to cross threads in one piece. */
export interface AuditSegment {
  /** Worker that recorded, from 1; 0 is the main thread. */
  readonly worker: number;
  /** Distinguishes recorders of the same worker number over restarts, from 0. */
  readonly epoch: number;
  /** Sequence of the first record, and how many there are. */
  readonly first: number;
  readonly count: number;
  /** The records as canonical JSON (keys sorted, no spaces), one a line, UTF-8. */
  readonly bytes: Uint8Array;
}
