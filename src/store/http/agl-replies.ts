import { z } from "zod";
import { attemptStatuses, rolloutModes, rolloutStatuses, workerStatuses } from "../rollout-record.ts";

/** What answers are made of; for the OpenAPI document, since what comes from the store needs no check. */

const text = z.string().nullable();
const time = z.number().nullable();
const bag = z.record(z.string(), z.unknown()).nullable();

export const attempt = z.object({
  rollout_id: z.string(),
  attempt_id: z.string(),
  sequence_id: z.int(),
  start_time: z.number(),
  end_time: time,
  status: z.enum(attemptStatuses),
  worker_id: text,
  last_heartbeat_time: time,
  metadata: bag,
});

export const rollout = z.object({
  rollout_id: z.string(),
  input: z.unknown(),
  start_time: z.number(),
  end_time: time,
  mode: z.enum(rolloutModes).nullable(),
  resources_id: text,
  status: z.enum(rolloutStatuses),
  config: z.object({
    timeout_seconds: time,
    unresponsive_seconds: time,
    max_attempts: z.int().min(1),
    retry_condition: z.array(z.enum(attemptStatuses)),
  }),
  metadata: bag,
});
export const attemptedRollout = rollout.extend({ attempt });
export const anyRollout = z.union([attemptedRollout, rollout]);

export const resourcesUpdate = z.object({
  resources_id: z.string(),
  create_time: z.number(),
  update_time: z.number(),
  version: z.int(),
  resources: z.record(z.string(), z.looseObject({ resource_type: z.string() })),
});

export const worker = z.object({
  worker_id: z.string(),
  status: z.enum(workerStatuses),
  heartbeat_stats: bag,
  last_heartbeat_time: time,
  last_dequeue_time: time,
  last_busy_time: time,
  last_idle_time: time,
  current_rollout_id: text,
  current_attempt_id: text,
});

export const sequenceId = z.object({ sequence_id: z.int() });

export function pageOf(item: z.ZodType): z.ZodType {
  return z.object({ items: z.array(item), limit: z.int(), offset: z.int(), total: z.int() });
}
