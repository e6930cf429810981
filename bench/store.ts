import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { batchMetrics, storedEpisodes } from "../src/run/measurement.ts";
import { openStore } from "../src/store/open.ts";
import { bootHost, firstBatch, rollOut } from "./rolled-out-batch.ts";
import { shippedAgent } from "./shipped-agent.ts";
import type { FillBench } from "./suite.ts";

const episodes = 256;

/** Storing one training batch: episodes, violations, spans and audit records in one transaction, synced to disk. */
export const store: FillBench = async (bench, resources) => {
  const agent = await shippedAgent();
  const plan = firstBatch(agent, episodes);
  const batch = await rollOut(await bootHost(agent), plan);
  const folder = await mkdtemp(join(tmpdir(), "faraday-bench-"));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const opened = resources.use(await openStore("sqlite:bench.db", { baseDir: folder }));
  const { phase, iteration, weights } = plan;
  const record = {
    ...{ phase, iteration, weights, audit: batch.audit },
    metrics: batchMetrics(batch),
    episodes: storedEpisodes(
      batch,
      batch.episodes.map(() => 0),
    ),
    emitViolations: agent.config.runner.emitViolations,
  };
  let runs = 0;
  const name = `batch of ${episodes} episodes`;
  bench.add(name, async () => opened.storeBatch({ ...record, run: `run-${runs}` }), {
    async: true,
    // A batch can be stored once in a run.
    beforeEach: () => opened.beginRun({ id: `run-${++runs}`, config: {} }),
  });
  return { [name]: { count: episodes, unit: "episode" } };
};
