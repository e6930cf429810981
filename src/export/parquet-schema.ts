import type { SchemaElement } from "hyparquet-writer";
import type { ExportedEpisode } from "./exported-episode.ts";

type Repetition = "REQUIRED" | "OPTIONAL";

/** Columns of an {@link ExportedEpisode}, in its order. */
const columns: Readonly<Record<keyof ExportedEpisode, readonly SchemaElement[]>> = {
  run: text("run"),
  episode: text("episode"),
  phase: text("phase"),
  iteration: int32("iteration"),
  group_index: int32("group_index"),
  episode_index: int32("episode_index"),
  task: text("task"),
  split: text("split"),
  seed: [{ name: "seed", type: "INT64", repetition_type: "REQUIRED" }],
  weights: int32("weights"),
  worker: int32("worker"),
  attempt: int32("attempt"),
  outcome: text("outcome"),
  error: text("error", "OPTIONAL"),
  success: flag("success"),
  reward: double("reward"),
  cost: double("cost"),
  scalar_reward: double("scalar_reward"),
  advantage: double("advantage", "OPTIONAL"),
  steps: int32("steps"),
  violations: list("violations", "REQUIRED", [
    { name: "element", repetition_type: "REQUIRED", num_children: 9 },
    ...int32("step"),
    ...text("statement"),
    ...text("policy"),
    ...text("rule"),
    ...text("severity"),
    ...text("type"),
    ...text("description"),
    ...flag("blocked"),
    ...double("penalty"),
  ]),
  prompt: text("prompt", "OPTIONAL"),
  messages: list("messages", "OPTIONAL", [
    { name: "element", repetition_type: "REQUIRED", num_children: 2 },
    ...text("role"),
    ...text("content"),
  ]),
  tokens: list("tokens", "OPTIONAL", int32("element")),
  chosen: list("chosen", "OPTIONAL", flag("element")),
  log_probabilities: list("log_probabilities", "OPTIONAL", [
    { name: "element", type: "FLOAT", repetition_type: "REQUIRED" },
  ]),
  stored_at: [{ name: "stored_at", type: "INT64", converted_type: "TIMESTAMP_MILLIS", repetition_type: "REQUIRED" }],
};

export const parquetColumns = Object.keys(columns) as (keyof ExportedEpisode)[];

export const parquetSchema: SchemaElement[] = [
  { name: "episode", num_children: parquetColumns.length },
  ...Object.values(columns).flat(),
];

function text(name: string, repetition_type: Repetition = "REQUIRED"): SchemaElement[] {
  return [{ name, type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" }, repetition_type }];
}

function int32(name: string): SchemaElement[] {
  return [{ name, type: "INT32", repetition_type: "REQUIRED" }];
}

function double(name: string, repetition_type: Repetition = "REQUIRED"): SchemaElement[] {
  return [{ name, type: "DOUBLE", repetition_type }];
}

function flag(name: string): SchemaElement[] {
  return [{ name, type: "BOOLEAN", repetition_type: "REQUIRED" }];
}

/** The three levels that the Parquet specification asks of a list. */
function list(name: string, repetition_type: Repetition, element: readonly SchemaElement[]): SchemaElement[] {
  return [
    { name, converted_type: "LIST", logical_type: { type: "LIST" }, repetition_type, num_children: 1 },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    ...element,
  ];
}
