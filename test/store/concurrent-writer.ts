import { parentPort, workerData } from "node:worker_threads";
import { openStore } from "../../src/store/open.ts";
import { sampleSpan, spanId } from "./queue-samples.ts";
import { Recorder } from "./recorder.ts";
import { sampleBatch } from "./samples.ts";

// A thread of its own: a training run, or writers who queue, take and end rollouts, each with a store of their own.
const { url, baseDir, run, writers, amount } = workerData as {
  readonly url: string;
  readonly baseDir: string;
  readonly run?: string;
  readonly writers?: number;
  readonly amount: number;
};
if (run !== undefined) await train(run);
const taken = await Promise.all(Array.from({ length: writers ?? 0 }, work));
parentPort?.postMessage(taken.flat());

async function train(id: string): Promise<void> {
  await using store = await openStore(url, { baseDir });
  const recorder = new Recorder(1);
  await store.beginRun({ id, config: {} });
  for (let iteration = 0; iteration < amount; iteration++) {
    await store.storeBatch(sampleBatch(recorder, { run: id, iteration, leaf: 12 * iteration }));
  }
  await store.endRun({ id, status: "succeeded" });
}

/** @returns The rollouts that it was given. */
async function work(): Promise<readonly string[]> {
  await using store = await openStore(url, { baseDir });
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
