import { createPrivateKey, createPublicKey } from "node:crypto";
import { AuditLog, type LoggedSegment } from "../../src/audit/audit-log.ts";
import type { Signer } from "../../src/audit/checkpoint.ts";
import { type LogVerification, type StoredAuditLog, verifyLog } from "../../src/audit/verify-log.ts";
import type { EpisodeKey } from "../../src/core/episode.ts";
import type { Violation } from "../../src/core/syscall.ts";
import { FlightRecorder } from "../../src/kernel/flight-recorder.ts";

/** Ed25519 pairs of RFC 8032 section 7.1, tests 1 and 2: the same in every run. */
export const signer = keyPair("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
export const stranger = keyPair("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");

export const policies = "ab".repeat(32);

const denied: Violation = {
  policy: "sql",
  rule: "DELETE",
  severity: "high",
  type: "BLOCKED",
  description: "DELETE is denied",
  blocked: true,
};

export interface SampleLog extends StoredAuditLog {
  readonly segments: LoggedSegment[];
  readonly checkpoints: string[];
}

/** A log as a run leaves it: batches of episodes on several workers, each merged and signed. */
export function sampleLog({ batches = 3, workers = 2, episodes = 2, run = "run-1" } = {}): SampleLog {
  const log = AuditLog.begin({ run, signer, policies });
  const recorders = Array.from({ length: workers }, (_, index) => new FlightRecorder({ worker: index + 1, epoch: 0 }));
  const segments: LoggedSegment[] = [];
  const checkpoints: string[] = [];
  for (let iteration = 1; iteration <= batches; iteration++) {
    for (const [worker, recorder] of recorders.entries()) {
      for (let index = 0; index < episodes; index++) recordEpisode(recorder, key(iteration, worker, index));
    }
    if (iteration === 2) log.signal("train-2-0-9", 1, "SIGKILL");
    const batch = { phase: "train", iteration, weights: iteration - 1, episodes: workers * episodes } as const;
    const appended = log.append({
      ...batch,
      segments: recorders.map((recorder) => recorder.seal()),
      digest: `${iteration}`.repeat(64).slice(0, 64),
      ...(iteration === batches ? {} : { update: "cd".repeat(32) }),
    });
    segments.push(...appended.segments);
    checkpoints.push(appended.checkpoint.note);
  }
  const { origin, size, root } = log.checkpoint;
  return { run, segments, checkpoints, key: { publicKey: signer.publicKey }, knownHead: { origin, size, root } };
}

export function verified(log: StoredAuditLog): LogVerification {
  return verifyLog(log);
}

export function key(iteration: number, group: number, index: number): EpisodeKey {
  const id = `train-${iteration}-${group}-${index}`;
  return {
    id,
    phase: "train",
    iteration,
    group,
    index,
    task: "count",
    split: "train",
    seed: 7,
    weights: iteration - 1,
  };
}

/** Two syscalls; the second is denied. */
export function recordEpisode(recorder: FlightRecorder, episode: EpisodeKey): void {
  const record = recorder.start(episode, policies);
  record.intent(0, { syscall: "sql.query", args: { sql: "SELECT 'größe'" } });
  record.outcome(0, { verdict: "allow", violations: [], outcome: "completed" });
  record.intent(1, { syscall: "sql.query", args: { sql: "DELETE FROM users" } });
  record.outcome(1, { verdict: "deny", violations: [denied], outcome: "denied", error: "denied: DELETE" });
  record.end({ outcome: "completed", reward: 0, cost: 50 });
}

function keyPair(seed: string): Signer {
  const der = Buffer.from(`302e020100300506032b657004220420${seed}`, "hex");
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}
