import type { EpisodeAuditRecord } from "../core/audit.ts";
import type { Phase } from "../core/episode.ts";
import type { RecordedAttempt } from "./attempts-of.ts";
import type { AuditFinding } from "./audit-finding.ts";
import type { AuditPublicKey } from "./audit-key.ts";
import type { LoggedSegment } from "./audit-log.ts";
import { checkCheckpoints } from "./check-checkpoints.ts";
import { checkRoots } from "./check-roots.ts";
import type { Checkpoint, SignedCheckpoint } from "./checkpoint.ts";
import { FindingList } from "./finding-list.ts";
import { LogWalk } from "./log-walk.ts";
import { type ReadSegment, readSegment } from "./read-segment.ts";

/** A log as it is stored; nothing of it is trusted but the key and the known head. */
export interface StoredAuditLog {
  readonly run: string;
  /** In tree order: by the leaf that they claim. */
  readonly segments: Iterable<LoggedSegment>;
  /** Notes, in the order they were signed. */
  readonly checkpoints: readonly string[];
  readonly key: AuditPublicKey;
  /** The greatest tree seen before, from outside the store; `null` where none is known. */
  readonly knownHead: Checkpoint | null;
}

export interface VerifyOptions {
  /** Most findings that are listed; all are counted. */
  readonly findingsMax?: number;
  /** Receives every attempt at an episode, once it has ended or nothing more will come of it. */
  readonly onAttempt?: (attempt: RecordedAttempt, batch: RecordedBatch | null) => void;
  /** Receives the signals that the main process recorded. */
  readonly onSignal?: (signal: Extract<EpisodeAuditRecord, { kind: "signal" }>, batch: RecordedBatch | null) => void;
}

/** A batch as the main process recorded it. */
export interface RecordedBatch {
  readonly phase: Phase;
  readonly iteration: number;
  readonly weights: number;
  readonly episodes: number;
  readonly digest: string;
  /** Size of the tree after it: that of the checkpoint that covers it. */
  readonly size: number;
}

export interface RecordedUpdate {
  readonly iteration: number;
  /** SHA-256 of the new weights. */
  readonly weights: string;
  /** Size of the tree after it. */
  readonly size: number;
}

export interface LogVerification {
  /** In the order found; empty where the log is as it was signed. */
  readonly findings: readonly AuditFinding[];
  /** How many there were, listed or not. */
  readonly findingCount: number;
  /** Of the first checkpoint whose signature holds. */
  readonly origin: string | null;
  readonly segments: number;
  readonly records: number;
  readonly checkpoints: number;
  /** Attempts at episodes, finished or not. */
  readonly attempts: number;
  /** Of the tree recomputed from the stored bytes; worth nothing where there are findings. */
  readonly size: number;
  readonly root: string;
  /** The last checkpoint whose signature holds. */
  readonly head: SignedCheckpoint | null;
  readonly batches: readonly RecordedBatch[];
  readonly updates: readonly RecordedUpdate[];
}

const findingsMax = 100;

/**
 * Recomputes a log from its stored bytes and says what is wrong, and where: every line's hash, every recorder's chain, what batch
 * records say of segments, the tree at every signed size, every signature, and the head that was known before. Never throws for what
 * the log holds. A log without a single record and checkpoint has no findings: whether there should be some is for the caller to know.
 */
export function verifyLog(log: StoredAuditLog, options: VerifyOptions = {}): LogVerification {
  const findings = new FindingList(options.findingsMax ?? findingsMax);
  const signed = checkCheckpoints(log, (finding) => findings.add(finding));
  const sizes = [...signed.checkpoints, ...(log.knownHead === null ? [] : [log.knownHead])].map(({ size }) => size);
  const walk = new LogWalk({ ...options, sizes, onFinding: (finding) => findings.add(finding) });
  let [segments, records] = [0, 0];
  let batch: ReadSegment[] = [];
  for (const segment of log.segments) {
    const read = readSegment(segment, segments++);
    records += read.lines.length;
    batch.push(read);
    if (read.worker !== 0) continue;
    walk.batch(batch);
    batch = [];
  }
  walk.end(batch);
  checkRoots(signed, walk.tree, log.knownHead, (finding) => findings.add(finding));
  const { attempts, batches, updates, tree } = walk;
  const { index: _, ...head } = signed.checkpoints.at(-1) ?? { index: -1 };
  return {
    findings: findings.listed,
    findingCount: findings.count,
    origin: signed.checkpoints[0]?.origin ?? null,
    ...{ segments, records, checkpoints: log.checkpoints.length, attempts },
    ...{ size: tree.size, root: tree.root(), head: "note" in head ? head : null, batches, updates },
  };
}
