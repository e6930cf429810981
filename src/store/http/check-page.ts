import { HttpError } from "./http-error.ts";

/** Names of the fields that lists can be sorted by, in the order of Agent Lightning's models. */
export const sortFields = {
  rollouts: "rollout_id input start_time end_time mode resources_id status config metadata",
  attempts: "rollout_id attempt_id sequence_id start_time end_time status worker_id last_heartbeat_time metadata",
  resources: "resources_id create_time update_time version resources",
  workers:
    "worker_id status heartbeat_stats last_heartbeat_time last_dequeue_time last_busy_time last_idle_time " +
    "current_rollout_id current_attempt_id",
  spans:
    "rollout_id attempt_id sequence_id trace_id span_id parent_id name status attributes events links start_time end_time " +
    "context parent resource",
} as const;

interface Paged {
  readonly limit: number;
  readonly offset: number;
  readonly sort_by?: string | null | undefined;
}

/**
 * Which part of a list is asked for, checked.
 * @throws {HttpError} 400 for what no list has.
 */
export function checkPage<Query extends Paged>(query: Query, kind: keyof typeof sortFields): Query {
  const { limit, offset, sort_by: sortBy } = query;
  const fields = sortFields[kind].split(" ");
  if (typeof sortBy === "string" && !fields.includes(sortBy)) {
    throw new HttpError(400, `Invalid sort_by: ${sortBy}, allowed fields are: ${fields.join(", ")}`);
  }
  if (limit === 0 || limit < -1) throw new HttpError(400, "Limit must be greater than 0 or -1 for no limit");
  if (offset < 0) throw new HttpError(400, "Offset must be greater than or equal to 0");
  return query;
}

/** @throws {HttpError} 400 where a field is null that must have a value. */
export function refuseNull<Patch extends object>(patch: Patch, fields: readonly (keyof Patch & string)[]): Patch {
  for (const field of fields) {
    if (patch[field] === null) throw new HttpError(400, `${field} is invalid; it cannot be a null value.`);
  }
  return patch;
}
