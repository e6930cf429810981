import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuditLog } from "../src/audit/audit-log.ts";
import type { AuditSegment } from "../src/core/audit.ts";
import { packTrajectories } from "../src/core/trajectory.ts";
import { FlightRecorder } from "../src/kernel/flight-recorder.ts";
import { batchMetrics, storedEpisodes } from "../src/run/measurement.ts";
import { openRunStore } from "../src/run/store-thread.ts";
import { batchDigest } from "../src/store/batch-digest.ts";
import type { LightningStore } from "../src/store/lightning-store.ts";
import { openStore } from "../src/store/open.ts";
import { recordEpisodes, recordsPerEpisode } from "./recorded-episodes.ts";
import { bootHost, firstBatch, rollOut } from "./rolled-out-batch.ts";
import { fillQueue } from "./rollout-queue.ts";
import { shippedAgent } from "./shipped-agent.ts";
import type { FillBench } from "./suite.ts";

const episodes = 256;
const log = { signer: generateKeyPairSync("ed25519"), policies: "00", run: "run" };

/** What one training batch costs once it is rolled out: its rows in the store, and its records on their way there. */
export const store: FillBench = async (bench, resources) => {
  const folder = await mkdtemp(join(tmpdir(), "faraday-bench-"));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  return {
    ...(await fillBatch(bench, resources, folder)),
    ...(await fillAudit(bench, resources, folder)),
    ...(await fillQueue(bench, resources, folder)),
  };
};

/**
 * Storing one training batch: digest, signed tree, episodes, violations and audit records in one transaction, synced to disk. All of it in one thread; and, where
 * a thread of its own writes as in training, how long the main one can do nothing else.
 */
async function fillBatch(bench: Parameters<FillBench>[0], resources: AsyncDisposableStack, folder: string) {
  const agent = await shippedAgent();
  const plan = firstBatch(agent, episodes);
  const batch = await rollOut(await bootHost(agent), plan);
  const { phase, iteration, weights } = plan;
  const alone = resources.use(await openStore("sqlite:bench.db", { baseDir: folder }));
  const threaded = resources.use(await openRunStore("sqlite:run.db", { baseDir: folder }));
  let runs = 0;
  const storeIn = async (store: LightningStore) => {
    const record = {
      ...{ phase, iteration, weights },
      metrics: batchMetrics(batch),
      episodes: storedEpisodes(
        batch,
        batch.episodes.map(() => 0),
      ),
    };
    const trajectories = packTrajectories(batch.episodes.map(({ trajectory }) => trajectory));
    const described = { phase, iteration, weights, episodes, digest: batchDigest(record) };
    // As they come from a worker: hashed by nobody here yet.
    const segments = batch.audit.map((segment) => ({ ...segment, bytes: segment.bytes.slice() }));
    const audit = AuditLog.begin(log).append({ ...described, segments });
    const { emitViolations } = agent.config.runner;
    await store.storeBatch({ ...record, audit, trajectories, emitViolations, run: `run-${runs}` });
  };
  // A batch can be stored once in a run.
  const beforeEach = (store: LightningStore) => () => store.beginRun({ id: `run-${++runs}`, config: {} });
  const name = `batch of ${episodes} episodes`;
  bench.add(name, () => storeIn(alone), { async: true, beforeEach: beforeEach(alone) });
  const busy = `${name}, main thread`;
  const timeBusy = async () => {
    const before = performance.eventLoopUtilization();
    await storeIn(threaded);
    return { overriddenDuration: performance.eventLoopUtilization(before).active };
  };
  bench.add(busy, timeBusy, { async: true, beforeEach: beforeEach(threaded) });
  const amount = { count: episodes, unit: "episode" };
  return { [name]: amount, [busy]: amount };
}

/**
 * The way of a record, all of it in one process, and the main process's part alone: made, chained and sealed by a flight recorder, hashed into the tree, the tree signed, and the segments
 * stored with the checkpoint in one transaction, synced to disk. Without what stands beside records: episode rows and their digest.
 */
async function fillAudit(bench: Parameters<FillBench>[0], resources: AsyncDisposableStack, folder: string) {
  const opened = resources.use(await openStore("sqlite:audit.db", { baseDir: folder }));
  await opened.beginRun({ id: "run", config: {} });
  const recorder = new FlightRecorder({ worker: 1, epoch: 0 });
  const auditLog = AuditLog.begin(log);
  let iteration = 0;
  const storeSealed = async (segment: AuditSegment) => {
    const described = { phase: "train", iteration: iteration++, weights: 0 } as const;
    const audit = auditLog.append({ ...described, episodes: 0, digest: "00", segments: [segment] });
    await opened.storeBatch({ ...described, episodes: [], metrics: {}, emitViolations: true, audit, run: "run" });
  };
  const name = "record, chain, store";
  bench.add(
    name,
    async () => {
      recordEpisodes(recorder, episodes);
      await storeSealed(recorder.seal());
    },
    { async: true },
  );
  let sealed: AuditSegment;
  const merged = "records of a worker, merged and stored";
  bench.add(merged, () => storeSealed(sealed), {
    async: true,
    beforeEach: () => {
      recordEpisodes(recorder, episodes);
      sealed = recorder.seal();
    },
  });
  const amount = { count: episodes * recordsPerEpisode, unit: "record" };
  return { [name]: amount, [merged]: amount };
}
