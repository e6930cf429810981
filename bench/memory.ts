import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { AuditLog } from "../src/audit/audit-log.ts";
import type { EpisodeKey } from "../src/core/episode.ts";
import { packTrajectories } from "../src/core/trajectory.ts";
import { FlightRecorder } from "../src/kernel/flight-recorder.ts";
import { policySetHash } from "../src/kernel/policy-set-hash.ts";
import { openRunStore } from "../src/run/store-thread.ts";
import { batchDigest } from "../src/store/batch-digest.ts";
import type { LightningStore, StoredEpisode } from "../src/store/lightning-store.ts";

// What memory a process takes that stores a million rollouts of one run, as training does: recorded, chained, signed and stored, in batches of
// 256, with a thread that writes. `npm run bench:memory -- [rollouts]`. Fixed counts: minutes, not a test.

const batchSize = 256;
const rollouts = Number(process.argv[2] ?? 1_000_000);
const looks = 10;
const policies = policySetHash([]);
const syscall = { syscall: "sql.query", args: { sql: "SELECT COUNT(*) FROM users WHERE city='Vienna'" } };
/** Twelve tokens of a prompt, eight chosen. */
const trajectory = {
  tokens: Int32Array.from({ length: 20 }, (_, index) => 3 * index),
  chosen: Uint8Array.from({ length: 20 }, (_, index) => Number(index >= 12)),
  logProbabilities: Float32Array.from({ length: 20 }, (_, index) => (index < 12 ? 0 : -index / 100)),
};

if (!Number.isSafeInteger(rollouts) || rollouts < looks * batchSize) {
  throw new RangeError(`rollouts must be an integer from ${looks * batchSize} on, got ${process.argv[2]}`);
}
const folder = await mkdtemp(join(tmpdir(), "faraday-memory-"));
try {
  await using store = await openRunStore("sqlite:memory.db", { baseDir: folder });
  await measure(store);
} finally {
  await rm(folder, { recursive: true });
}

async function measure(store: LightningStore): Promise<void> {
  await store.beginRun({ id: "run", config: {} });
  const log = AuditLog.begin({ signer: generateKeyPairSync("ed25519"), policies, run: "run" });
  const recorder = new FlightRecorder({ worker: 1, epoch: 0 });
  const start = performance.now();
  process.stdout.write(`load ${loadavg()[0]?.toFixed(2)} before\nrollouts  seconds  rss MB  heap MB  buffers MB\n`);
  for (let done = 0, look = 1; done < rollouts; ) {
    const count = Math.min(batchSize, rollouts - done);
    await storeBatch(store, { log, recorder, iteration: Math.floor(done / batchSize), count });
    done += count;
    if (done < (look * rollouts) / looks) continue;
    look++;
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    const cells = [
      done,
      Math.round((performance.now() - start) / 1000),
      ...[rss, heapUsed, arrayBuffers].map(megabytes),
    ];
    process.stdout.write(`${cells.map((cell) => String(cell).padStart(8)).join(" ")}\n`);
  }
}

async function storeBatch(
  store: LightningStore,
  { log, recorder, iteration, count }: { log: AuditLog; recorder: FlightRecorder; iteration: number; count: number },
): Promise<void> {
  const at = { phase: "train", iteration, weights: iteration } as const;
  const episodes = Array.from({ length: count }, (_, index) => record(recorder, keyOf(iteration, index)));
  const metrics = { accuracy: 1, violationRate: 0, meanReward: 1, meanCost: 0 };
  const digest = batchDigest({ ...at, metrics, episodes });
  const audit = log.append({ ...at, episodes: count, digest, segments: [recorder.seal()] });
  const trajectories = packTrajectories(episodes.map(() => trajectory));
  await store.storeBatch({ ...at, run: "run", episodes, metrics, audit, trajectories, emitViolations: true });
}

function keyOf(iteration: number, place: number): EpisodeKey {
  const [group, index] = [Math.floor(place / 8), place % 8];
  const id = `train-${iteration}-${group}-${index}`;
  return {
    id,
    phase: "train",
    iteration,
    group,
    index,
    weights: iteration,
    task: `users-${group}`,
    split: "train",
    seed: place,
  };
}

/** An episode of one syscall, and what is stored of it. */
function record(recorder: FlightRecorder, key: EpisodeKey): StoredEpisode {
  const flight = recorder.start(key, policies);
  flight.intent(0, syscall);
  flight.outcome(0, { verdict: "allow", violations: [], outcome: "completed" });
  flight.end({ outcome: "completed", reward: 1, cost: 0 });
  const earned = { success: true, reward: 1, cost: 0, scalarReward: 6, advantage: 0.25 };
  const made = { violations: [], oracle: [], stepCount: 1, tokenCount: 8, worker: 1, attempt: 1 };
  return { key, outcome: "completed", ...earned, ...made };
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}
