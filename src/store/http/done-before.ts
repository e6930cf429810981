import { isDeepStrictEqual } from "node:util";
import { batchDigest } from "../batch-digest.ts";
import type { BatchRecord, LightningStore } from "../lightning-store.ts";
import type { RunMethod } from "./run-methods.ts";
import { toWire } from "./wire-value.ts";

/**
 * Whether what a request asks for has been done already, exactly as it asks for it: then its answer was lost on the way, and it is
 * not an error that it comes again.
 */
export async function doneBefore(store: LightningStore, method: RunMethod, args: readonly unknown[]): Promise<boolean> {
  switch (method) {
    case "beginRun":
      return await begun(store, args[0] as Parameters<LightningStore["beginRun"]>[0]);
    case "endRun":
      return await ended(store, args[0] as Parameters<LightningStore["endRun"]>[0]);
    case "storeBatch":
      return await stored(store, args[0] as BatchRecord);
    default:
      return false;
  }
}

async function begun(store: LightningStore, { id, config }: Parameters<LightningStore["beginRun"]>[0]) {
  const run = (await store.runs()).find((each) => each.id === id);
  return run?.status === "running" && same(run.config, config);
}

async function ended(store: LightningStore, { id, status, report }: Parameters<LightningStore["endRun"]>[0]) {
  const run = (await store.runs()).find((each) => each.id === id);
  return run?.status === status && same(run.report, report ?? null);
}

/** The digest covers episodes and metrics, and the tree that was signed with them the rest. */
async function stored(store: LightningStore, batch: BatchRecord): Promise<boolean> {
  const { run, phase, iteration } = batch;
  const rows = (await store.iterations(run)).find((each) => each.phase === phase && each.iteration === iteration);
  if (rows === undefined || rows.episodes !== batch.episodes.length) return false;
  const trees = await store.checkpoints(run);
  const tree = trees.find((each) => each.phase === phase && each.iteration === iteration);
  if (tree?.note !== batch.audit.checkpoint.note) return false;
  const { weights, metrics } = rows;
  const episodes = await store.episodes(run, phase, iteration);
  return batchDigest({ phase, iteration, weights, metrics, episodes }) === batchDigest(batch);
}

function same(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(JSON.parse(toWire(one)), JSON.parse(toWire(other)));
}
