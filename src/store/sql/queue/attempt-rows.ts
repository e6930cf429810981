import { sql } from "kysely";
import type { Page, PageQuery } from "../../rollout-query.ts";
import type { AttemptPatch, SpanOwner } from "../../rollout-queue.ts";
import type { Attempt, AttemptStatus, RolloutConfig, RolloutStatus } from "../../rollout-record.ts";
import { BadValueError } from "../../store-errors.ts";
import { change, firstOf, type Operation, rowsOf } from "../operation.ts";
import { statement } from "../statement.ts";
import type { QueueAttemptRow, QueueRolloutRow } from "../tables.ts";
import { overdueStatus } from "./deadline.ts";
import { episodeAttempt } from "./episode-rollouts.ts";
import { checkChangeable, episodeKeyOf, unknownAttempt } from "./ids.ts";
import { equals, type Listing, pageOf } from "./page.ts";
import { type AttemptedRow, attemptOf, attemptRowOf, jsonOrNull } from "./records.ts";
import { attemptedRow, lockAttempted, lockRollout, saveState, withStatus } from "./rollout-rows.ts";
import { syncWorker } from "./worker-rows.ts";

/** @throws {BadValueError} for null where something must be. */
export function* updateAttempt(
  rolloutId: string,
  attemptId: string,
  patch: AttemptPatch,
  now: number,
): Operation<Attempt> {
  for (const name of ["status", "worker_id", "last_heartbeat_time"] as const) {
    if (patch[name] === null) throw new BadValueError(`${name} of an attempt must not be null`);
  }
  const row = yield* lockAttempted(rolloutId);
  const attempt = yield* attemptNamed(row, attemptId);
  return yield* patchAttempt(row, attempt, patch, now);
}

function* attemptNamed(row: AttemptedRow, attemptId: string): Operation<QueueAttemptRow> {
  const latest = attemptRowOf(row);
  if (latest !== null && (attemptId === "latest" || attemptId === latest.attempt_id)) return latest;
  const found = yield* firstOf(selectAttempt, { rollout: row.key, attemptId });
  if (found === undefined) throw unknownAttempt(row.rollout_id, attemptId);
  return found;
}

/** What an attempt came to is what its rollout comes to, where it is the latest. */
function* patchAttempt(
  rollout: QueueRolloutRow,
  before: QueueAttemptRow,
  { status, worker_id, last_heartbeat_time, metadata }: AttemptPatch,
  now: number,
): Operation<Attempt> {
  const attempt = {
    ...before,
    ...(status == null ? {} : { status }),
    ...(status === "failed" || status === "succeeded" ? { end_time: now } : {}),
    ...(worker_id == null ? {} : { worker_id }),
    ...(last_heartbeat_time == null ? {} : { last_heartbeat_time }),
    ...(metadata === undefined ? {} : { metadata: jsonOrNull(metadata) }),
  };
  yield* change(saveAttempt, attempt);
  if (attempt.sequence_id === rollout.attempts) {
    const next = statusFrom(attempt, JSON.parse(rollout.config));
    yield* saveState(next === rollout.status ? rollout : yield* withStatus(rollout, next, now), attempt);
  }
  const record = attemptOf(rollout.rollout_id, attempt);
  if (worker_id != null || status != null) yield* syncWorker(record, now);
  return record;
}

/** What a rollout's status is after its latest attempt. */
function statusFrom(attempt: QueueAttemptRow, { retry_condition, max_attempts }: RolloutConfig): RolloutStatus {
  const { status, sequence_id } = attempt;
  if (status === "preparing" || status === "running" || status === "succeeded") return status;
  return retry_condition.includes(status) && sequence_id < max_attempts ? "requeuing" : "failed";
}

/** How many overdue attempts are ended at a time. */
const overdueMax = 200;

/** Ends attempts that are overdue. */
export function* endOverdue(now: number): Operation<void> {
  const due = yield* rowsOf(selectDue, { now });
  for (const { rollout_id } of due) {
    const row = yield* lockAttempted(rollout_id);
    const latest = attemptRowOf(row);
    const status = latest === null ? null : overdueStatus(JSON.parse(row.config), latest, now);
    if (latest !== null && status !== null) yield* patchAttempt(row, latest, { status }, now);
    else yield* saveState(row, latest);
  }
}

/** Whether there is anything to end. */
export function* anyOverdue(now: number): Operation<boolean> {
  return (yield* firstOf(selectAnyDue, { now })) !== undefined;
}

/** What there is to know of an attempt before spans are added to it. */
export interface SpanPlace {
  readonly attempt: number;
  readonly status: AttemptStatus;
  /** Whether it is its rollout's latest one. */
  readonly isLatest: boolean;
  readonly rolloutStatus: RolloutStatus;
  readonly deadline: number | null;
}

/** Where spans of an attempt belong, locked. */
export function* lockAttempt(rollout_id: string, attempt_id: string): Operation<SpanPlace> {
  checkChangeable(rollout_id);
  const row = yield* firstOf(selectSpanPlace, { rollout_id, attempt_id });
  if (row === undefined) {
    yield* lockRollout(rollout_id);
    throw unknownAttempt(rollout_id, attempt_id);
  }
  const { attempt, status, sequence_id, attempts, rollout_status, deadline } = row;
  return { attempt, status, isLatest: sequence_id === attempts, rolloutStatus: rollout_status, deadline };
}

/** Spans are signs of life: what was prepared runs now, and so does what was given up as unresponsive. */
export function* noteHeartbeat(
  rolloutId: string,
  { attempt: key, status, isLatest, rolloutStatus, deadline }: SpanPlace,
  now: number,
): Operation<void> {
  const revived = status === "preparing" || status === "unresponsive";
  yield* change(saveHeartbeat, { key, at: now, status: revived ? "running" : status });
  const starts = rolloutStatus === "preparing" || rolloutStatus === "requeuing";
  if (!isLatest || (!starts && deadline === null)) return;
  const row = yield* lockAttempted(rolloutId);
  yield* saveState(starts ? yield* withStatus(row, "running", now) : row, attemptRowOf(row));
}

export function* readLatestAttempt(rolloutId: string): Operation<Attempt | null> {
  const episode = episodeKeyOf(rolloutId);
  if (episode !== null) return yield* episodeAttempt(episode);
  const row = yield* attemptedRow(rolloutId);
  const attempt = row === undefined ? null : attemptRowOf(row);
  return attempt === null ? null : attemptOf(rolloutId, attempt);
}

export function* readAttempts(rolloutId: string, query: PageQuery): Operation<Page<Attempt>> {
  const { sort_by = "sequence_id" } = query;
  const must = equals("rollout_id", rolloutId);
  const page = yield* pageOf<QueueAttemptRow>(listing, { ...query, sort_by }, { must, filters: [] });
  const episode = episodeKeyOf(rolloutId);
  if (episode === null) return { ...page, items: page.items.map((row) => attemptOf(rolloutId, row)) };
  const attempt = yield* episodeAttempt(episode);
  const all = attempt === null ? [] : [attempt];
  return { ...page, items: all.slice(page.offset), total: all.length };
}

const listing: Listing = {
  from: sql`queue_attempts JOIN (SELECT key AS owner, rollout_id FROM queue_rollouts) owners ON owner = rollout`,
  select: sql`queue_attempts.*`,
  sortable: {
    ...{ sequence_id: "number", attempt_id: "text", rollout_id: "text", start_time: "number", end_time: "number" },
    ...{ status: "text", worker_id: "text", last_heartbeat_time: "number" },
  },
  order: sql`sequence_id`,
};

const selectAttempt = statement<{ rollout: number; attemptId: string }>()(({ db, given }) =>
  db
    .selectFrom("queue_attempts")
    .selectAll()
    .where("rollout", "=", given.rollout)
    .where("attempt_id", "=", given.attemptId),
);
const selectSpanPlace = statement<SpanOwner>()(({ db, given, dialect }) => {
  const select = db
    .selectFrom("queue_rollouts")
    .innerJoin("queue_attempts", "queue_attempts.rollout", "queue_rollouts.key")
    .select([
      ...(["queue_attempts.key as attempt", "queue_attempts.status", "queue_attempts.sequence_id"] as const),
      ...(["queue_rollouts.status as rollout_status", "queue_rollouts.attempts", "deadline"] as const),
    ])
    .where("rollout_id", "=", given.rollout_id)
    .where("attempt_id", "=", given.attempt_id);
  // Both, so that both are as they are once they are locked.
  return dialect === "postgres" ? select.forUpdate() : select;
});
const saveAttempt = statement<QueueAttemptRow>()(({ db, given }) =>
  db
    .updateTable("queue_attempts")
    .set({
      ...{ status: given.status, end_time: given.end_time, worker_id: given.worker_id, metadata: given.metadata },
      last_heartbeat_time: given.last_heartbeat_time,
    })
    .where("key", "=", given.key),
);
const saveHeartbeat = statement<{ key: number; at: number; status: AttemptStatus }>()(({ db, given }) =>
  db
    .updateTable("queue_attempts")
    .set({ last_heartbeat_time: given.at, status: given.status })
    .where("key", "=", given.key),
);
const selectDue = statement<{ now: number }>()(({ db, given, dialect }) => {
  const select = db
    .selectFrom("queue_rollouts")
    .select("rollout_id")
    .where("deadline", "<", given.now)
    .orderBy("deadline")
    .limit(overdueMax);
  // What another process is ending already is its matter.
  return dialect === "postgres" ? select.forUpdate().skipLocked() : select;
});
const selectAnyDue = statement<{ now: number }>()(({ db, given }) =>
  db.selectFrom("queue_rollouts").select("key").where("deadline", "<", given.now).limit(1),
);
