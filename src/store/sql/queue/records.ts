import { parseExactly } from "../../exact-json.ts";
import type {
  Attempt,
  AttemptedRollout,
  Metadata,
  NamedResources,
  ResourcesUpdate,
  Rollout,
  RolloutConfigInput,
  Worker,
} from "../../rollout-record.ts";
import { defaultRolloutConfig, type RolloutConfig } from "../../rollout-record.ts";
import type { QueueAttemptRow, QueueResourcesRow, QueueRolloutRow, QueueWorkerRow } from "../tables.ts";

// Rows of the queue's tables as records.

/** A rollout with its latest attempt, whose columns are called `a_…` and are null where it has none. */
export type AttemptedRow = QueueRolloutRow & {
  readonly [Column in keyof QueueAttemptRow as `a_${Column}`]: QueueAttemptRow[Column] | null;
};

export function rolloutOf(row: QueueRolloutRow): Rollout {
  const { rollout_id, input, start_time, end_time, mode, resources_id, status, config, metadata } = row;
  return {
    ...{ rollout_id, input: parseExactly(input), start_time, end_time, mode, resources_id, status },
    ...{ config: JSON.parse(config), metadata: parsed(metadata) },
  };
}

export function attemptOf(rollout_id: string, row: QueueAttemptRow): Attempt {
  const { attempt_id, sequence_id, start_time, end_time, status, worker_id, last_heartbeat_time, metadata } = row;
  return {
    ...{ rollout_id, attempt_id, sequence_id, start_time, end_time, status, worker_id, last_heartbeat_time },
    metadata: parsed(metadata),
  };
}

export function attemptedOf(row: AttemptedRow): Rollout | AttemptedRollout {
  const attempt = attemptRowOf(row);
  const rollout = rolloutOf(row);
  return attempt === null ? rollout : { ...rollout, attempt: attemptOf(row.rollout_id, attempt) };
}

export function attemptRowOf(row: AttemptedRow): QueueAttemptRow | null {
  if (row.a_key === null) return null;
  // Where there is a key, the rest of its row came with it.
  return {
    ...{ key: row.a_key, rollout: row.a_rollout, attempt_id: row.a_attempt_id, sequence_id: row.a_sequence_id },
    ...{ start_time: row.a_start_time, end_time: row.a_end_time, status: row.a_status, worker_id: row.a_worker_id },
    ...{ last_heartbeat_time: row.a_last_heartbeat_time, metadata: row.a_metadata },
  } as QueueAttemptRow;
}

export function workerOf({ key: _, heartbeat_stats, ...row }: QueueWorkerRow): Worker {
  return { ...row, heartbeat_stats: parsed(heartbeat_stats) };
}

export function resourcesOf(row: QueueResourcesRow): ResourcesUpdate {
  const { resources_id, create_time, update_time, version, resources } = row;
  return { resources_id, create_time, update_time, version, resources: parseExactly(resources) as NamedResources };
}

export function configOf(input: RolloutConfigInput | null | undefined): RolloutConfig {
  const given = Object.entries(input ?? {}).filter(([, value]) => value !== undefined);
  return { ...defaultRolloutConfig, ...Object.fromEntries(given) };
}

export function jsonOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}

function parsed(json: string | null): Metadata | null {
  return json === null ? null : (parseExactly(json) as Metadata);
}
