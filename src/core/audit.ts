import { hash } from "node:crypto";
import type { Phase } from "./episode.ts";
import type { SyscallOutcome, Verdict, Violation } from "./syscall.ts";

/** What can be sent to an episode: hold, release, end at its next syscall, end at once. */
export const agentSignals = ["SIGSTOP", "SIGCONT", "SIGTERM", "SIGKILL"] as const;
export type AgentSignal = (typeof agentSignals)[number];

/**
 * One entry of an audit log, kept as one line of canonical JSON. Workers record episodes: `start`, for every syscall an
 * `intent` before its effect and an `outcome` after, or `calls` for several, `end`. The main process, worker 0, records what became of them:
 * `batch` when it stored them, `update` when it changed the weights by them, `signal` for an episode whose worker could
 * not record it any more.
 */
export type AuditRecord = EpisodeAuditRecord | RunAuditRecord;

/** What a worker records of an episode. */
export const episodeKinds = [
  "start",
  "intent",
  "outcome",
  "calls",
  "signal",
  "end",
] as const satisfies readonly EpisodeAuditRecord["kind"][];

export type EpisodeAuditRecord = AuditPlace & {
  /** The episode's id, unique in its run. */
  readonly episode: string;
} & (
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
    /**
     * Syscalls of one name in a row, from `step` on, each permitted and completed at once, with nothing found: what an intent and an outcome of each
     * would say, where the config wants such calls recorded together. `args` has those of each.
     */
    | { readonly kind: "calls"; readonly step: number; readonly syscall: string; readonly args: readonly unknown[] }
    /** `step` is the number of syscalls made before it. */
    | { readonly kind: "signal"; readonly step: number; readonly signal: AgentSignal }
    | {
        readonly kind: "end";
        readonly outcome: string;
        readonly reward: number;
        readonly cost: number;
        /** Syscalls that the kernel mediated, and violations that it answered them with. */
        readonly steps: number;
        readonly violations: number;
      }
  );

type RecordOf<Kind extends EpisodeAuditRecord["kind"]> = Extract<EpisodeAuditRecord, { kind: Kind }>;

/** The intent and the outcome of each call that a record of `calls` stands for, all with its own place in the log. */
export function eachCall(
  record: RecordOf<"calls">,
): readonly { readonly intent: RecordOf<"intent">; readonly outcome: RecordOf<"outcome"> }[] {
  const { kind: _, args: all, step: first, syscall, ...place } = record;
  return all.map((args, index) => ({
    intent: { ...place, kind: "intent", step: first + index, syscall, args },
    outcome: { ...place, kind: "outcome", step: first + index, verdict: "allow", outcome: "completed", violations: [] },
  }));
}

export type RunAuditRecord = AuditPlace &
  (
    | {
        readonly kind: "batch";
        readonly phase: Phase;
        readonly iteration: number;
        /** Version of the weights that acted. */
        readonly weights: number;
        /** How many episodes the batch has, and SHA-256 over what is stored of them besides their records. */
        readonly episodes: number;
        readonly digest: string;
        /** The segments that were merged with it, in their order in the tree. */
        readonly segments: readonly SealedSegment[];
      }
    | {
        readonly kind: "update";
        readonly iteration: number;
        /** SHA-256 of the new weights, as little-endian float32. */
        readonly weights: string;
      }
  );

export interface AuditPlace {
  /** Worker that recorded, from 1; 0 is the main process. */
  readonly worker: number;
  /** Distinguishes recorders of the same worker number over restarts, from 0. */
  readonly epoch: number;
  /** Counts from 0 without a gap over the life of one recorder. */
  readonly sequence: number;
  /** {@link recordHash} of the recorder's record before this one; {@link genesis} for its first. */
  readonly previous: string;
  /** Hash of the set of policies that judged. */
  readonly policies: string;
}

/** What names a segment without its bytes. */
export interface SealedSegment {
  readonly worker: number;
  readonly epoch: number;
  /** Sequence of the first record, and how many there are. */
  readonly first: number;
  readonly count: number;
  /** What the first record names as the one before it. */
  readonly previous: string;
  /** {@link recordHash} of the last record; `previous` where there is none. */
  readonly head: string;
}

/** Consecutive records of one recorder, sealed to cross threads in one piece. */
export interface AuditSegment extends SealedSegment {
  /** The records as canonical JSON (keys sorted, no spaces), one a line, UTF-8. */
  readonly bytes: Uint8Array;
}

/** A segment, and where somebody asked for it when its records were made, in milliseconds since 1970. Times are no part of the log. */
export interface TimedSegment extends AuditSegment {
  readonly times?: Float64Array;
}

/** What stands for the record before a recorder's first. */
export const genesis = "0".repeat(64);

/**
 * SHA-256 of a record as a leaf of an RFC 6962 tree (section 2.1: a zero byte goes before the line), so that one hash is both
 * the record's place in the tree and the link that its recorder's next record holds.
 * @param line Canonical JSON without the line feed.
 * @returns 64 lower-case hexadecimal digits.
 */
export function recordHash(line: string): string {
  return hash("sha256", `\0${line}`, "hex");
}
