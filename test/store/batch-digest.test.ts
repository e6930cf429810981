import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { batchDigest, digesting } from "../../src/store/batch-digest.ts";
import type { BatchRecord, StoredEpisode } from "../../src/store/lightning-store.ts";
import { openStore } from "../../src/store/open.ts";
import { Recorder } from "./recorder.ts";
import { deletion, sampleBatch, sampleEpisode } from "./samples.ts";

/** Any text that an agent may write, halves of characters included. */
const text = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) });
const number = fc.double({ noNaN: true, noDefaultInfinity: true });

it("of what a store gives back is that of what it was given", async () => {
  const baseDir = mkdtempSync(join(tmpdir(), "faraday-store-"));
  const recorder = new Recorder(1);
  let iteration = 0;
  {
    await using store = await openStore("sqlite:faraday.db", { baseDir });
    await store.beginRun({ id: "run-1", config: {} });
    const written = fc.record({
      statement: text,
      rule: text,
      message: text,
      seen: text,
      reward: number,
      advantage: number,
    });
    await fc.assert(
      fc.asyncProperty(written, async ({ statement, rule, message, seen, reward, advantage }) => {
        const episode = sampleEpisode(
          { iteration },
          {
            violations: [{ ...deletion, statement, rule }],
            ...{ outcome: "failed", error: { boundary: "agent", message }, oracle: [{ step: 0, description: seen }] },
            ...{ reward, advantage },
          },
        );
        const batch = { ...sampleBatch(recorder, { iteration }), episodes: [episode], metrics: { [rule]: reward } };
        await store.storeBatch(batch);
        const stored = (await store.iterations("run-1")).at(-1);
        const episodes = await store.episodes("run-1", "train", iteration++);
        expect(batchDigest({ ...batch, metrics: stored?.metrics ?? {}, episodes })).toBe(batchDigest(batch));
      }),
      { numRuns: 100 },
    );
  }
  rmSync(baseDir, { recursive: true });
});

it("is the same where it is made in steps", () => {
  const batch = sampleBatch(new Recorder(1));
  const [first] = batch.episodes;
  if (first === undefined) throw new Error("no episode");
  for (const [count, yields] of [
    [0, 0],
    [500, 0],
    [501, 1],
    [1_600, 3],
  ] as const) {
    const large = { ...batch, episodes: Array.from({ length: count }, (_, index) => ({ ...first, reward: index })) };
    const steps = digesting(large);
    for (let step = 0; step < yields; step++) expect(steps.next()).toEqual({ done: false, value: undefined });
    expect(steps.next()).toEqual({ done: true, value: batchDigest(large) });
  }
});

it.each<[string, (batch: BatchRecord) => BatchRecord]>([
  ["an advantage", (batch) => withEpisode(batch, { advantage: 0.26 })],
  ["a reward", (batch) => withEpisode(batch, { reward: 0.99 })],
  ["a scalar reward", (batch) => withEpisode(batch, { scalarReward: 6.01 })],
  ["an outcome", (batch) => withEpisode(batch, { outcome: "stopped" })],
  ["the worker", (batch) => withEpisode(batch, { worker: 2 })],
  ["the attempt", (batch) => withEpisode(batch, { attempt: 2 })],
  ["the tokens", (batch) => withEpisode(batch, { tokenCount: 41 })],
  ["what the oracle saw", (batch) => withEpisode(batch, { oracle: null })],
  ["a violation", (batch) => withEpisode(batch, { violations: [deletion] })],
  ["the order of episodes", (batch) => ({ ...batch, episodes: batch.episodes.toReversed() })],
  ["a metric", (batch) => ({ ...batch, metrics: { ...batch.metrics, accuracy: 0.51 } })],
  ["a metric more", (batch) => ({ ...batch, metrics: { ...batch.metrics, more: 0 } })],
  ["the version of the weights", (batch) => ({ ...batch, weights: 3 })],
])("is another one when %s is changed", (_name, change) => {
  const batch = sampleBatch(new Recorder(1));
  expect(batchDigest(change(batch))).not.toBe(batchDigest(batch));
});

function withEpisode(batch: BatchRecord, changes: Partial<StoredEpisode>): BatchRecord {
  const [first, ...rest] = batch.episodes as readonly [StoredEpisode, ...StoredEpisode[]];
  return { ...batch, episodes: [{ ...first, ...changes }, ...rest] };
}
