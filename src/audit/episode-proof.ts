import type { AuditFinding } from "./audit-finding.ts";
import type { AuditPublicKey } from "./audit-key.ts";
import type { LoggedSegment } from "./audit-log.ts";

/** All that a log holds of one episode, with what shows that it is in the signed tree: one JSON document. */
export interface EpisodeProof {
  readonly type: "faraday-episode-proof";
  readonly version: 1;
  readonly run: string;
  readonly episode: string;
  /** The signed checkpoint, a C2SP note. */
  readonly checkpoint: string;
  /** In tree order. */
  readonly records: readonly ProvenRecord[];
}

export interface ProvenRecord {
  /** The record's line, canonical JSON. */
  readonly record: string;
  readonly worker: number;
  /** Position in the tree, and the audit path from there (RFC 6962 section 2.1.1). */
  readonly leaf: number;
  readonly proof: readonly string[];
}

/** What a proof shows. */
export interface ProofVerification {
  /** Empty where the proof holds. An episode that is unfinished in the log is none: see `complete`. */
  readonly findings: readonly { readonly message: string; readonly leaf?: number; readonly sequence?: number }[];
  readonly run: string | null;
  readonly episode: string | null;
  readonly origin: string | null;
  readonly size: number | null;
  readonly root: string | null;
  readonly attempts: readonly ProvenAttempt[];
  /** Whether every attempt has its end. */
  readonly complete: boolean;
}

export interface ProvenAttempt {
  readonly worker: number;
  readonly epoch: number;
  readonly steps: number;
  readonly violations: number;
  /** How it ended; `null` where the log has no end of it. */
  readonly outcome: string | null;
}

/**
 * Proves what a log holds of an episode.
 * @param log The segments in tree order, up to the checkpoint at least, and the checkpoint's note.
 * @throws {InputError} when the log has no such episode. @throws {FaradayError} when the log is not the one that was signed.
 */
export function proveEpisode(
  episode: string,
  log: { readonly run: string; readonly segments: Iterable<LoggedSegment>; readonly checkpoint: string },
): EpisodeProof {
  throw new Error(`not there yet: ${episode} ${log.run}`);
}

/** Checks a proof with the public key alone. Never throws for what the document holds. */
export function verifyProof(document: unknown, key: AuditPublicKey): ProofVerification {
  void (null as AuditFinding | null);
  throw new Error(`not there yet: ${key.origin} ${document}`);
}
