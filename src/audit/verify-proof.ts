import { z } from "zod";
import { type EpisodeAuditRecord, recordHash } from "../core/audit.ts";
import { AttemptBuilder, countsOf, type RecordedAttempt } from "./attempts-of.ts";
import type { AuditPublicKey } from "./audit-key.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import type { EpisodeProof } from "./episode-proof.ts";
import { isOriginOf } from "./log-origin.ts";
import { verifyInclusion } from "./merkle-proof.ts";
import { asRecord } from "./read-segment.ts";

/** What a proof shows. */
export interface ProofVerification {
  /** Empty where the proof holds. That an episode is unfinished in the log is none: see `complete`. */
  readonly findings: readonly ProofFinding[];
  readonly run: string | null;
  readonly episode: string | null;
  /** The tree that the records are in; `null` where its signature does not hold. */
  readonly checkpoint: Checkpoint | null;
  /** Attempts at the episode, in tree order. */
  readonly attempts: readonly ProvenAttempt[];
  /** Whether there is an attempt, and every one has all its syscalls' outcomes and its end. */
  readonly complete: boolean;
}

export interface ProofFinding {
  readonly message: string;
  readonly leaf?: number;
}

export interface ProvenAttempt {
  readonly worker: number;
  readonly epoch: number;
  /** Outcomes in the proof, and violations in them. */
  readonly steps: number;
  readonly violations: number;
  /** How it ended; `null` where the log has no end of it. */
  readonly outcome: string | null;
}

const count = z.int().min(0);
const schema = z.strictObject({
  type: z.literal("faraday-episode-proof"),
  version: z.literal(1),
  run: z.string(),
  episode: z.string(),
  checkpoint: z.string(),
  records: z
    .array(z.strictObject({ record: z.string(), worker: count, leaf: count, proof: z.array(z.string()) }))
    .min(1),
});

/**
 * Checks a proof with the public key alone: the checkpoint's signature, every record's inclusion in its tree (RFC 9162 section
 * 2.1.3.2), that each record is of this episode, the chain and order of its recorder, and that an attempt has every step that its
 * end counts. Never throws for what the document holds.
 */
export function verifyProof(document: unknown, key: AuditPublicKey): ProofVerification {
  const parsed = schema.safeParse(document);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return nothing(`not an episode proof of version 1: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  return new ProofCheck(parsed.data).verify(key);
}

class ProofCheck {
  readonly #proof: EpisodeProof;
  readonly #findings: ProofFinding[] = [];
  readonly #attempts: RecordedAttempt[] = [];

  constructor(proof: EpisodeProof) {
    this.#proof = proof;
  }

  verify(key: AuditPublicKey): ProofVerification {
    const checkpoint = this.#checkpoint(key);
    this.#records(checkpoint);
    const { run, episode } = this.#proof;
    for (const attempt of this.#attempts) this.#completeness(attempt);
    return {
      findings: this.#findings,
      ...{ run, episode, checkpoint },
      attempts: this.#attempts.map(asProven),
      complete: this.#attempts.length > 0 && this.#attempts.every(isComplete),
    };
  }

  #checkpoint(key: AuditPublicKey): Checkpoint | null {
    const opened = openCheckpoint(this.#proof.checkpoint, key.publicKey);
    if (opened.status !== "signed") {
      this.#found(`the checkpoint is ${opened.status}: ${opened.message}`);
      return null;
    }
    const { origin, size, root } = opened.checkpoint;
    if (key.origin !== undefined && key.origin !== origin)
      this.#found(`the key is for ${key.origin}, got a checkpoint of ${origin}`);
    if (!isOriginOf(origin, this.#proof.run))
      this.#found(`the checkpoint of ${origin} is not of run ${this.#proof.run}`);
    return { origin, size, root };
  }

  #records(checkpoint: Checkpoint | null): void {
    const builder = new AttemptBuilder({ onStart: (attempt) => this.#attempts.push(attempt) });
    const last = new Map<string, { readonly sequence: number; readonly hash: string; readonly leaf: number }>();
    for (const { record: line, worker, leaf, proof } of this.#proof.records) {
      const record = episodeRecord(line);
      if (record === null || record.episode !== this.#proof.episode || record.worker !== worker) {
        this.#found(`no record of episode ${this.#proof.episode} by worker ${worker}`, leaf);
        continue;
      }
      const hash = recordHash(line);
      if (
        checkpoint &&
        !verifyInclusion({ leaf: hash, index: leaf, size: checkpoint.size, root: checkpoint.root, proof })
      ) {
        this.#found(`the signed tree of ${checkpoint.size} records does not hold record ${record.sequence}`, leaf);
      }
      const recorder = `${record.worker} ${record.epoch}`;
      const before = last.get(recorder);
      if (before && !follows(record, leaf, before)) {
        this.#found(`record ${record.sequence} does not follow record ${before.sequence} of its recorder`, leaf);
      }
      last.set(recorder, { sequence: record.sequence, hash, leaf });
      // What the main process says of an episode belongs to no attempt.
      if (worker === 0) continue;
      const fault = builder.add(record, record);
      if (fault !== null) this.#found(fault, leaf);
    }
  }

  #completeness(attempt: RecordedAttempt): void {
    const { syscalls, end, worker, epoch } = attempt;
    const who = `the attempt of worker ${worker}, epoch ${epoch}`;
    const gap = syscalls.findIndex(({ intent }, index) => intent.step !== index);
    if (gap >= 0) this.#found(`${who}: expected step ${gap}, got step ${syscalls[gap]?.intent.step}`);
    if (end === undefined) return;
    const { steps, violations } = countsOf(attempt);
    if (end.steps !== steps || end.violations !== violations) {
      this.#found(
        `${who} ended with ${end.steps} steps and ${end.violations} violations, the proof has ${steps} and ${violations}`,
      );
    }
  }

  #found(message: string, leaf?: number): void {
    this.#findings.push(leaf === undefined ? { message } : { message: `leaf ${leaf}: ${message}`, leaf });
  }
}

/** Later in the chain and in the tree; where it is the very next record, linked to the one before. */
function follows(
  record: EpisodeAuditRecord,
  leaf: number,
  before: { readonly sequence: number; readonly hash: string; readonly leaf: number },
): boolean {
  if (record.sequence <= before.sequence || leaf - before.leaf < record.sequence - before.sequence) return false;
  return record.sequence > before.sequence + 1 || record.previous === before.hash;
}

function episodeRecord(line: string): EpisodeAuditRecord | null {
  try {
    const record = asRecord(JSON.parse(line));
    return record !== null && "episode" in record ? record : null;
  } catch {
    return null;
  }
}

function isComplete({ end, syscalls }: RecordedAttempt): boolean {
  return end !== undefined && syscalls.every(({ outcome }) => outcome !== undefined);
}

function asProven(attempt: RecordedAttempt): ProvenAttempt {
  const { worker, epoch, end } = attempt;
  return { worker, epoch, ...countsOf(attempt), outcome: end?.outcome ?? null };
}

function nothing(message: string): ProofVerification {
  return { findings: [{ message }], run: null, episode: null, checkpoint: null, attempts: [], complete: false };
}
