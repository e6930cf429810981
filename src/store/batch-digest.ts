import { createHash, type Hash } from "node:crypto";
import { canonicalJson } from "../core/canonical-json.ts";
import { atOnce, type Steps } from "../core/steps.ts";
import type { BatchRecord } from "./lightning-store.ts";

/** What a batch's digest covers: all that is stored of it besides its audit, and spans, which derive from that. */
export type DigestedBatch = Pick<BatchRecord, "phase" | "iteration" | "weights" | "metrics" | "episodes">;

/**
 * SHA-256 over what is stored of a batch: a line of canonical JSON for the batch itself, with its metrics, and one for each
 * episode in their order, with advantage, violations and oracle findings. Its `batch` record in the audit log carries it, so
 * that a signed tree binds the rows that no other record mentions. What a store gives back has the digest of what it was given.
 * @returns 64 lower-case hexadecimal digits.
 */
export function batchDigest(batch: DigestedBatch): string {
  return atOnce(digesting(batch));
}

const stepEpisodes = 500;

/** As {@link batchDigest}, in steps of some hundred episodes. */
export function* digesting(batch: DigestedBatch): Steps<string> {
  const digest = begin(batch);
  for (const [index, episode] of batch.episodes.entries()) {
    if (index > 0 && index % stepEpisodes === 0) yield;
    digest.update(line(episode));
  }
  return digest.digest("hex");
}

function begin({ phase, iteration, weights, metrics, episodes }: DigestedBatch): Hash {
  return createHash("sha256").update(line({ phase, iteration, weights, metrics, episodes: episodes.length }));
}

/** Half a character, as an agent may write it or a cut may leave it, is stored as U+FFFD: a store holds whole characters. */
function line(value: unknown): string {
  const json = canonicalJson(value);
  return `${json.includes("\\ud") ? canonicalJson(JSON.parse(json, wellFormed)) : json}\n`;
}

function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed() : value;
}
