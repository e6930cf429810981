import { z } from "zod";
import { attemptStatuses, rolloutModes, rolloutStatuses, workerStatuses } from "../rollout-record.ts";

/** Requests and answers of Agent Lightning 0.3, as its OpenAPI document has them. What a request has besides is passed over. */

const text = z.string().nullish();
const time = z.number().nullish();
const bag = z.record(z.string(), z.unknown()).nullish();
const mode = z.enum(rolloutModes).nullish();

export const rolloutConfig = z.object({
  timeout_seconds: z.number().nullable().default(null),
  unresponsive_seconds: z.number().nullable().default(null),
  max_attempts: z.int().min(1).default(1),
  retry_condition: z.array(z.enum(attemptStatuses)).default([]),
});

/** May be null, and may not be absent. */
const input = z.unknown().refine((value) => value !== undefined, { error: "Field required" });

export const enqueueRollout = z.object({
  input,
  mode,
  resources_id: text,
  config: rolloutConfig.nullish(),
  metadata: bag,
});
export const enqueueRollouts = z.object({ rollouts: z.array(enqueueRollout) });
export const startRollout = enqueueRollout.extend({ worker_id: text });
export const dequeueRollouts = z.object({ limit: z.int().default(1), worker_id: text }).nullish();
export const startAttempt = z.object({ worker_id: text }).nullish();

export const rolloutPatch = z.object({
  input: z.unknown().optional(),
  mode,
  resources_id: text,
  status: z.enum(rolloutStatuses).nullish(),
  config: rolloutConfig.nullish(),
  metadata: bag,
});
export const attemptPatch = z.object({
  status: z.enum(attemptStatuses).nullish(),
  worker_id: text,
  last_heartbeat_time: time,
  metadata: bag,
});
export const workerPatch = z.object({ heartbeat_stats: bag }).nullish();

const page = {
  limit: z.int().default(-1),
  offset: z.int().default(0),
  sort_by: text,
  sort_order: z.enum(["asc", "desc"]).default("asc"),
};
const logic = { filter_logic: z.enum(["and", "or"]).default("and") };
const bySequence = z.string().nullable().default("sequence_id");

export const rolloutsQuery = z.object({
  status_in: z.array(z.enum(rolloutStatuses)).nullish(),
  rollout_id_in: z.array(z.string()).nullish(),
  rollout_id_contains: text,
  ...page,
  ...logic,
});
export const attemptsQuery = z.object({ ...page, sort_by: bySequence });
export const resourcesQuery = z.object({ resources_id: text, resources_id_contains: text, ...page });
export const workersQuery = z.object({
  status_in: z.array(z.enum(workerStatuses)).nullish(),
  worker_id_contains: text,
  ...page,
  ...logic,
});
export const spansQuery = z.object({
  rollout_id: z.string(),
  attempt_id: text,
  ...{ trace_id: text, trace_id_contains: text, span_id: text, span_id_contains: text },
  ...{ parent_id: text, parent_id_contains: text, name: text, name_contains: text },
  ...logic,
  ...page,
  sort_by: bySequence,
});

export const waitForRollouts = z.object({ rollout_ids: z.array(z.string()), timeout: time });
export const nextSequenceId = z.object({ rollout_id: z.string(), attempt_id: z.string() });

const sampling = {
  endpoint: z.string(),
  model: z.string(),
  api_key: z.string().nullable().default(null),
  sampling_parameters: z.record(z.string(), z.unknown()).default({}),
};
const resource = z.discriminatedUnion("resource_type", [
  z.object({ resource_type: z.literal("llm"), ...sampling }),
  z.object({ resource_type: z.literal("proxy_llm"), ...sampling }),
  z.object({
    resource_type: z.literal("prompt_template"),
    template: z.string(),
    engine: z.enum(["jinja", "f-string", "poml"]),
  }),
]);
export const namedResources = z.record(z.string(), resource);
