import type { Phase } from "../core/episode.ts";

/** Kinds of faults; docs and tests name them. */
export const findingCodes = [
  "record-changed",
  "record-missing",
  "record-added",
  "record-duplicated",
  "record-order",
  "record-unreadable",
  "record-place",
  "segment-column",
  "segment-missing",
  "segment-order",
  "segment-duplicated",
  "segment-unlisted",
  "segment-sealed",
  "segment-bytes",
  "episode-order",
  "episode-counts",
  "batch-missing",
  "checkpoint-malformed",
  "checkpoint-key",
  "checkpoint-signature",
  "checkpoint-origin",
  "checkpoint-order",
  "checkpoint-root",
  "checkpoint-beyond",
  "checkpoint-missing",
  "tail-unsigned",
  "rolled-back",
  "head-root",
  "head-origin",
] as const;
export type FindingCode = (typeof findingCodes)[number];

/** One fault of a log: what is wrong, and where as far as that is known. */
export interface AuditFinding {
  readonly code: FindingCode;
  readonly message: string;
  readonly worker?: number;
  readonly epoch?: number;
  /** Sequence of the (first) record in question. */
  readonly sequence?: number;
  /** Its position in the tree. */
  readonly leaf?: number;
  /** Index of the segment, as the segments were given. */
  readonly segment?: number;
  /** Index of the checkpoint, as the checkpoints were given. */
  readonly checkpoint?: number;
  readonly phase?: Phase;
  readonly iteration?: number;
  readonly episode?: string;
}
