import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type ChatterRun, runChatter } from "./chatter.ts";

const train = { checkpointEvery: 1 };

test("the same seed gives the same weights and episodes with 1, 2 and 3 workers", async () => {
  const one = await runChatter({ train, workers: 1 });
  const two = await runChatter({ train, workers: 2 });
  const three = await runChatter({ train, workers: 3 });
  expect(weightsOf(two).equals(weightsOf(one))).toBe(true);
  expect(weightsOf(three).equals(weightsOf(one))).toBe(true);
  expect(done(two)).toEqual(done(one));
  expect(done(three)).toEqual(done(one));
  // Otherwise all this would say nothing.
  expect(new Set(one.episodes.map((episode) => episode.reward)).size).toBeGreaterThan(3);
  expect(new Set(one.episodes.map((episode) => episode.cost)).size).toBeGreaterThan(1);
  expect(weightsOf(one).equals(weightsOf(one, 1))).toBe(false);
});

test("workers that are processes give the same weights and episodes as threads", async () => {
  const settings = { train: { ...train, iterations: 3, async: { stalenessMax: 1 }, loss: { klCoefficient: 0.1 } } };
  const threads = await runChatter({ ...settings, workers: 2 });
  for (const workers of [1, 2]) {
    const processes = await runChatter({ ...settings, workers, isolation: "process" });
    expect(weightsOf(processes).equals(weightsOf(threads))).toBe(true);
    expect(done(processes)).toEqual(done(threads));
  }
});

test("batches that are rolled out ahead give the same weights and episodes with 1 and 3 workers, and others than none ahead", async () => {
  const options = { train: { ...train, iterations: 3, async: { stalenessMax: 1 } } };
  const one = await runChatter({ ...options, workers: 1 });
  const three = await runChatter({ ...options, workers: 3 });
  expect(weightsOf(three).equals(weightsOf(one))).toBe(true);
  expect(done(three)).toEqual(done(one));
  expect(one.episodes.filter(({ key }) => key.phase === "train" && key.iteration === 3)[0]?.key.weights).toBe(1);
  expect(one.report.curve.map(({ metrics }) => metrics.staleness)).toEqual([0, 1, 1]);
  const synchronous = await runChatter({ train: { ...train, iterations: 3 } });
  expect(weightsOf(synchronous, 1).equals(weightsOf(one, 1))).toBe(true);
  expect(weightsOf(synchronous).equals(weightsOf(one))).toBe(false);
});

test("another seed gives other weights and episodes", async () => {
  const one = await runChatter({ train: { iterations: 1 } });
  const other = await runChatter({ train: { iterations: 1, seed: 2 } });
  expect(weightsOf(other).equals(weightsOf(one))).toBe(false);
  expect(done(other)).not.toEqual(done(one));
});

function weightsOf({ out, report }: ChatterRun, iteration = report.iterations): Buffer {
  return readFileSync(join(out, "checkpoints", String(iteration), "model.safetensors"));
}

/** All that an episode is, save for the worker that happened to run it. */
function done({ episodes }: ChatterRun): readonly unknown[] {
  return episodes.map(({ worker: _, ...episode }) => episode);
}
