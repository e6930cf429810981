import { generateKeyPairSync } from "node:crypto";
import { AuditLog, type LoggedSegment } from "../src/audit/audit-log.ts";
import { verifyLog } from "../src/audit/verify-log.ts";
import type { AuditSegment } from "../src/core/audit.ts";
import { FlightRecorder } from "../src/kernel/flight-recorder.ts";
import { policySetHash } from "../src/kernel/policy-set-hash.ts";
import { recordEpisodes, recordsPerEpisode } from "./recorded-episodes.ts";
import type { FillBench } from "./suite.ts";

const episodes = 256;
const workers = 2;
const batches = 8;

const run = "bench";
const policies = policySetHash([]);

/** Batches of 256 episodes of two syscalls each on two workers: recorded and chained, merged into the tree and signed, verified. */
export const audit: FillBench = async (bench) => {
  const signer = generateKeyPairSync("ed25519");
  const recordBatch = (recorders: readonly FlightRecorder[]): readonly AuditSegment[] => {
    for (const recorder of recorders) recordEpisodes(recorder, episodes / workers);
    return recorders.map((recorder) => recorder.seal());
  };
  const stored: LoggedSegment[] = [];
  const checkpoints: string[] = [];
  const log = AuditLog.begin({ run, signer, policies });
  const recorders = recordersOf();
  for (let iteration = 1; iteration <= batches; iteration++) {
    const appended = log.append(batchOf(recordBatch(recorders), iteration));
    stored.push(...appended.segments);
    checkpoints.push(appended.checkpoint.note);
  }
  const whole = { run, segments: stored, checkpoints, key: signer, knownHead: log.checkpoint };
  const { records } = verifyLog(whole);

  let fresh: AuditLog;
  let sealed: readonly AuditSegment[] = [];
  bench.add("record, chain and seal", () => void recordBatch(recordersOf()), { async: false });
  bench.add("append to the tree and sign", () => void fresh.append(batchOf(sealed, 1)), {
    async: false,
    beforeEach: () => {
      fresh = AuditLog.begin({ run, signer, policies });
      sealed = recordBatch(recordersOf());
    },
  });
  bench.add(
    "verify",
    () => {
      const { findingCount } = verifyLog(whole);
      if (findingCount > 0) throw new Error("the log of the bench must verify");
    },
    { async: false },
  );
  const batch = { count: episodes * recordsPerEpisode, unit: "record" };
  return {
    "record, chain and seal": batch,
    "append to the tree and sign": batch,
    verify: { count: records, unit: "record" },
  };
};

function recordersOf(): readonly FlightRecorder[] {
  return Array.from({ length: workers }, (_, index) => new FlightRecorder({ worker: index + 1, epoch: 0 }));
}

function batchOf(segments: readonly AuditSegment[], iteration: number) {
  const digest = "00".repeat(32);
  return { segments, phase: "train", iteration, weights: iteration - 1, episodes, digest } as const;
}
