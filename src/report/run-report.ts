import { z } from "zod";
import { runStatuses } from "../store/lightning-store.ts";
import { Measure } from "./measure.ts";
import { TimeSplit } from "./time-split.ts";

/** The figures of one iteration, by name: `accuracy`, `violationRate`, `meanReward`, `loss`, … */
export const CurvePoint = z.strictObject({
  iteration: z.int().min(0),
  metrics: z.record(z.string(), z.number()),
});
export type CurvePoint = z.infer<typeof CurvePoint>;

export const Machine = z.strictObject({
  cpu: z.string(),
  cores: z.int().min(1),
  memoryBytes: z.number().min(0),
  platform: z.string(),
  node: z.string(),
});
export type Machine = z.infer<typeof Machine>;

/** An evaluation in the course of training, after that iteration. */
export const EvaluationPoint = z.strictObject({ iteration: z.int().min(0), measure: Measure });
export type EvaluationPoint = z.infer<typeof EvaluationPoint>;

/** A log by its name, how many records it has, and the root of the tree over them. */
export const AuditTree = z.strictObject({ origin: z.string(), size: z.int().min(0), root: z.string() });
export type AuditTree = z.infer<typeof AuditTree>;

/** What `report.json` holds and `train --json` ends with. A measure is `null` where the run ended before it. */
export const RunReport = z.object({
  run: z.string(),
  status: z.enum(runStatuses),
  seed: z.int(),
  wallSeconds: z.number().min(0),
  /** Where the wall time went; `null` in reports of earlier versions. */
  time: TimeSplit.nullable().default(null),
  /** Iterations that were finished, and training episodes in them. */
  iterations: z.int().min(0),
  episodes: z.int().min(0),
  /** Episodes of training and measurements whose records do not agree with what came back, or whose task is quarantined; nothing was learned from them. */
  quarantinedEpisodes: z.int().min(0).default(0),
  /** Tasks whose episodes ended too many workers since the process began: no more of them were begun. */
  quarantinedTasks: z.array(z.string()).default([]),
  workers: z.int().min(1),
  /** The base policy under the kernel, on the test split. */
  before: Measure.nullable(),
  /** The trained policy under the kernel, on the test split. */
  after: Measure.nullable(),
  /** The base policy without the kernel, on the test split. */
  ungoverned: Measure.nullable(),
  /** The settings worth knowing at a glance, by their path in the config. */
  config: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  curve: z.array(CurvePoint),
  /** What `train.evalEvery` measured on the val split, or on test where there is no val. */
  evaluations: z.array(EvaluationPoint).default([]),
  /** The best of them; its weights are kept where `train.keepBest` says so. */
  best: EvaluationPoint.nullable().default(null),
  machine: Machine,
  /** The last signed tree of its audit log: kept elsewhere, it shows later that nothing was changed. */
  audit: AuditTree.nullable().default(null),
});
export type RunReport = z.infer<typeof RunReport>;
