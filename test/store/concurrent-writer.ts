import { parentPort, workerData } from "node:worker_threads";
import { openStore } from "../../src/store/open.ts";
import { sampleSpan, spanId } from "./queue-samples.ts";
import { Recorder } from "./recorder.ts";
import { sampleBatch } from "./samples.ts";

// A thread with a store of its own: a training run, or one who queues, takes and ends rollouts.
const { url, baseDir, run, amount } = workerData as { url: string; baseDir: string; run?: string; amount: number };
await using store = await openStore(url, { baseDir });
parentPort?.postMessage(run === undefined ? await work() : await train(run));

async function train(id: string): Promise<readonly string[]> {
  const recorder = new Recorder(1);
  await store.beginRun({ id, config: {} });
  for (let iteration = 0; iteration < amount; iteration++) {
    await store.storeBatch(sampleBatch(recorder, { run: id, iteration, leaf: 12 * iteration }));
  }
  await store.endRun({ id, status: "succeeded" });
  return [];
}

/** @returns The rollouts that it was given. */
async function work(): Promise<readonly string[]> {
  const taken: string[] = [];
  await store.enqueueRollouts(Array.from({ length: amount }, (_, input) => ({ input })));
  for (let count = 0; count < amount; count++) {
    const rollout = await store.dequeueRollout();
    if (rollout === null) continue;
    taken.push(rollout.rollout_id);
    const { attempt } = rollout;
    await Promise.all([0, 1, 2].map((index) => store.addSpan(sampleSpan(attempt, { span_id: spanId(index) }))));
    await store.updateAttempt(rollout.rollout_id, attempt.attempt_id, { status: "succeeded" });
  }
  return taken;
}
