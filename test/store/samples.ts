import type { AuditSegment } from "../../src/core/audit.ts";
import type { EpisodeViolation, Phase } from "../../src/core/episode.ts";
import type { KeptWeights } from "../../src/store/kept-weights.ts";
import type { BatchAudit, BatchRecord, StoredEpisode } from "../../src/store/lightning-store.ts";
import type { Recorder } from "./recorder.ts";

export const deletion: EpisodeViolation = {
  policy: "sql",
  rule: "DELETE",
  severity: "high",
  type: "BLOCKED",
  description: "DELETE is denied",
  blocked: true,
  step: 1,
  statement: "DELETE FROM users",
  penalty: 50,
};

export function sampleEpisode(
  at: { phase?: Phase; iteration?: number; group?: number; index?: number } = {},
  changes: Partial<StoredEpisode> = {},
): StoredEpisode {
  const { phase = "train", iteration = 0, group = 0, index = 0 } = at;
  return {
    key: {
      id: `${phase}-${iteration}-${group}-${index}`,
      phase,
      iteration,
      group,
      index,
      task: "count-users",
      split: "train",
      seed: 4_000_000_000,
      weights: 2,
    },
    outcome: "completed",
    success: true,
    reward: 1,
    cost: 0,
    scalarReward: 6,
    violations: [],
    oracle: [],
    stepCount: 2,
    worker: 1,
    attempt: 1,
    tokenCount: 40,
    advantage: 0.25,
    ...changes,
  };
}

export const violating: Partial<StoredEpisode> = {
  violations: [deletion],
  cost: 50,
  scalarReward: -49,
  advantage: -1.5,
};

/** Segments one after the other in a tree that has `leaf` records already, signed by nobody. */
export function inTree(segments: readonly AuditSegment[], leaf = segments[0]?.first ?? 0): BatchAudit {
  let size = leaf;
  const placed = segments.map((segment) => {
    size += segment.count;
    return { ...segment, leaf: size - segment.count };
  });
  return { segments: placed, checkpoint: { size, root: "ab".repeat(32), note: `a tree of ${size}` } };
}

/** The weights that act in {@link sampleBatch}. */
export function sampleWeights(changes: Partial<KeptWeights> = {}): KeptWeights {
  const { run = "run-1", name = "2", iteration = 2 } = changes;
  const url = `file:///runs/${run}/checkpoints/${name}`;
  return { ...{ run, name, iteration, sha256: "ab".repeat(32), parameters: 1000, url }, ...changes };
}

/** Two episodes on one worker; the second one tries to delete in its second step. */
export function sampleBatch(
  recorder: Recorder,
  options: { run?: string; phase?: Phase; iteration?: number; emitViolations?: boolean; leaf?: number } = {},
): BatchRecord {
  const { run = "run-1", phase = "train", iteration = 0, emitViolations = true } = options;
  const episodes = [
    sampleEpisode({ phase, iteration, index: 0 }),
    sampleEpisode({ phase, iteration, index: 1 }, violating),
  ];
  for (const { key, violations } of episodes) recorder.episode(key.id, [[], violations.length > 0 ? [deletion] : []]);
  return {
    run,
    phase,
    iteration,
    weights: 2,
    episodes,
    audit: inTree([recorder.seal()], options.leaf),
    metrics: { accuracy: 0.5, violationRate: 0.5, meanReward: 1, meanCost: 25 },
    emitViolations,
  };
}
