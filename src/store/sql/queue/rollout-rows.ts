import { type RawBuilder, sql } from "kysely";
import type { AskOnce, EnqueueRolloutRequest, RolloutPatch, StartRolloutRequest } from "../../rollout-queue.ts";
import type { AttemptedRollout, Rollout, RolloutMode, RolloutStatus } from "../../rollout-record.ts";
import { queuedStatuses, terminalStatuses } from "../../rollout-record.ts";
import { BadValueError } from "../../store-errors.ts";
import type { Dialect } from "../dialect.ts";
import { change, firstOf, insertRows, type Operation, rowsOf, rowsOnce } from "../operation.ts";
import { statement } from "../statement.ts";
import type { QueueAttemptRow, QueueRolloutRow } from "../tables.ts";
import { idOf, madeBefore, startedBefore, textOf } from "./asked-once.ts";
import { deadlineOf } from "./deadline.ts";
import { checkChangeable, newAttemptId, unknownRollout } from "./ids.ts";
import { type AttemptedRow, attemptOf, attemptRowOf, configOf, jsonOrNull, rolloutOf } from "./records.ts";
import { latestResourcesId } from "./resources-rows.ts";
import { syncWorker } from "./worker-rows.ts";

export function* enqueue(
  requests: readonly EnqueueRolloutRequest[],
  now: number,
  { idempotencyKey }: AskOnce = {},
): Operation<readonly Rollout[]> {
  const before = yield* madeBefore(requests, idempotencyKey);
  if (before !== null) return before.map(rolloutOf);
  const places = yield* nextPlaces(requests.length);
  const at = { now, latest: yield* latestResourcesId() };
  const rows = requests.map((request, index) =>
    newRow(request, { ...at, id: idOf(idempotencyKey, index), place: places[index] as number }),
  );
  yield* insertRollouts(rows);
  return rows.map(rolloutOf);
}

export function* startRollout(
  request: StartRolloutRequest,
  now: number,
  { idempotencyKey }: AskOnce = {},
): Operation<AttemptedRollout> {
  const before = yield* startedBefore(request, idempotencyKey);
  if (before !== null) return before;
  const row = newRow(request, {
    ...{ now, latest: yield* latestResourcesId(), id: idOf(idempotencyKey, 0), place: null },
  });
  yield* insertRollouts([row]);
  const stored = yield* lockRollout(row.rollout_id);
  return yield* newAttempt(stored, request.worker_id ?? null, now);
}

/** One more attempt at a rollout, which is prepared from then on. */
export function* newAttempt(
  row: QueueRolloutRow,
  worker_id: string | null,
  now: number,
  { sync = worker_id !== null }: { readonly sync?: boolean } = {},
): Operation<AttemptedRollout> {
  const attempt: QueueAttemptRow = {
    ...{ key: 0, rollout: row.key, attempt_id: newAttemptId(), sequence_id: row.attempts + 1, start_time: now },
    ...{ end_time: null, status: "preparing" as const, worker_id, last_heartbeat_time: null, metadata: null },
  };
  yield* insertRows({
    table: "queue_attempts",
    columns: ["rollout", "attempt_id", "sequence_id", "start_time", "status", "worker_id"],
    rows: [[row.key, attempt.attempt_id, attempt.sequence_id, now, attempt.status, worker_id]],
  });
  const prepared = { ...row, status: "preparing", place: null, attempts: attempt.sequence_id } as const;
  const saved = yield* saveState(prepared, attempt);
  const record = attemptOf(row.rollout_id, attempt);
  if (sync) yield* syncWorker(record, now);
  return { ...rolloutOf(saved), attempt: record };
}

export function* startAttempt(rolloutId: string, workerId: string | null, now: number): Operation<AttemptedRollout> {
  return yield* newAttempt(yield* lockRollout(rolloutId), workerId, now);
}

/** @throws {BadValueError} for null where something must be. */
export function* updateRollout(rolloutId: string, patch: RolloutPatch, now: number): Operation<Rollout> {
  const { status, config } = patch;
  if (status === null || config === null) throw new BadValueError("status and config of a rollout must not be null");
  const row = yield* lockAttempted(rolloutId);
  const patched = {
    ...row,
    ...(patch.input === undefined ? {} : { input: JSON.stringify(patch.input) }),
    ...(patch.mode === undefined ? {} : { mode: patch.mode }),
    ...(patch.resources_id === undefined ? {} : { resources_id: patch.resources_id }),
    ...(config === undefined ? {} : { config: JSON.stringify(configOf(config)) }),
    ...(patch.metadata === undefined ? {} : { metadata: jsonOrNull(patch.metadata) }),
  };
  const { key, input, mode, resources_id, metadata } = patched;
  yield* change(saveFields, { key, input, mode, resources_id, config: patched.config, metadata });
  const moved = status === undefined ? patched : yield* withStatus(patched, status, now);
  return rolloutOf(yield* saveState(moved, attemptRowOf(row)));
}

/** A rollout with another status: what waits has a place in the queue, and what has ended a time. */
export function* withStatus<Row extends QueueRolloutRow>(row: Row, status: RolloutStatus, now: number): Operation<Row> {
  const waits = queuedStatuses.includes(status);
  const place = waits ? (row.place ?? (yield* nextPlaces(1))[0] ?? null) : null;
  return { ...row, status, place, end_time: terminalStatuses.includes(status) ? now : row.end_time };
}

/** Writes status, place and deadline, as they follow from the latest attempt. */
export function* saveState<Row extends QueueRolloutRow>(row: Row, latest: QueueAttemptRow | null): Operation<Row> {
  const deadline = deadlineOf(row, latest);
  const { key, status, end_time, place, attempts } = row;
  yield* change(saveStateOf, { key, status, end_time, place, attempts, deadline });
  return { ...row, deadline };
}

/** A rollout, which nobody else changes until the transaction ends. */
export function* lockRollout(rolloutId: string): Operation<QueueRolloutRow> {
  checkChangeable(rolloutId);
  const row = yield* firstOf(selectLocked, { rolloutId });
  if (row === undefined) throw unknownRollout(rolloutId);
  return row;
}

/** As {@link lockRollout}, with its latest attempt: as it is once the rollout is locked, and not as it was before. */
export function* lockAttempted(rolloutId: string): Operation<AttemptedRow> {
  checkChangeable(rolloutId);
  yield* firstOf(lockKey, { rolloutId });
  const row = yield* attemptedRow(rolloutId);
  if (row === undefined) throw unknownRollout(rolloutId);
  return row;
}

/** A rollout with its latest attempt. */
export function* attemptedRow(rolloutId: string): Operation<AttemptedRow | undefined> {
  return yield* firstOf(selectAttempted, { rolloutId });
}

/** Rollouts with their latest attempts, in no particular order. */
export function* attemptedRows(
  column: "rollout_id" | "key",
  values: readonly (string | number)[],
): Operation<readonly AttemptedRow[]> {
  if (values.length === 0) return [];
  return yield* rowsOnce<AttemptedRow>(({ db }) => {
    const rows = sql<AttemptedRow>`${attempted} WHERE ${sql.ref(`r.${column}`)} IN (${sql.join([...values])})`;
    return { compile: () => rows.compile(db) };
  });
}

interface NewRow {
  readonly id: string;
  readonly now: number;
  readonly latest: string | null;
  readonly place: number | null;
}

function newRow(
  { input, mode = null, resources_id, config, metadata }: EnqueueRolloutRequest,
  { id, now, latest, place }: NewRow,
): QueueRolloutRow {
  return {
    ...{ key: 0, rollout_id: id, input: textOf(input), start_time: now, end_time: null },
    ...{ mode, resources_id: resources_id ?? latest, status: place === null ? "preparing" : "queuing" },
    ...{ config: JSON.stringify(configOf(config)), metadata: JSON.stringify(metadata ?? {}) },
    ...{ place, attempts: 0, deadline: null },
  };
}

function* insertRollouts(rows: readonly QueueRolloutRow[]): Operation<void> {
  yield* insertRows({
    table: "queue_rollouts",
    columns: ["rollout_id", "input", "start_time", "mode", "resources_id", "status", "config", "metadata", "place"],
    rows: rows.map((row) => [
      ...[row.rollout_id, row.input, row.start_time, row.mode, row.resources_id, row.status, row.config, row.metadata],
      row.place,
    ]),
  });
}

/** Places at the end of the queue. */
function* nextPlaces(count: number): Operation<readonly number[]> {
  const rows = yield* rowsOf(placesAfter, { count });
  const [first] = rows;
  return Array.from({ length: count }, (_, index) => rows[index]?.place ?? (first?.place ?? 1) + index);
}

const attemptColumns = sql.raw(
  [
    ...["key", "rollout", "attempt_id", "sequence_id", "start_time", "end_time", "status", "worker_id"],
    ...["last_heartbeat_time", "metadata"],
  ]
    .map((column) => `a.${column} AS a_${column}`)
    .join(", "),
);

const attempted = sql`SELECT r.*, ${attemptColumns} FROM queue_rollouts r
  LEFT JOIN queue_attempts a ON a.rollout = r.key AND a.sequence_id = r.attempts`;
const selectAttempted = statement<{ rolloutId: string }>()<AttemptedRow>(({ db, given }) => {
  const rows = sql<AttemptedRow>`${attempted} WHERE r.rollout_id = ${given.rolloutId}`;
  return { compile: () => rows.compile(db) };
});

/** SQLite has one writer, so that one place names all that follow; others may take places of a sequence in between. */
const placesAfter = statement<{ count: number }>()<{ place: number }>(({ db, given, dialect }) => {
  const places = placesBy[dialect](given.count);
  return { compile: () => places.compile(db) };
});
const placesBy: Readonly<Record<Dialect, (count: number) => RawBuilder<{ place: number }>>> = {
  sqlite: () => sql`SELECT coalesce(max(place), 0) + 1 AS place FROM queue_rollouts WHERE place IS NOT NULL`,
  postgres: (count) => sql`SELECT nextval('queue_places') AS place FROM generate_series(1, ${count}::int)`,
};
const selectLocked = statement<{ rolloutId: string }>()(({ db, given, dialect }) => {
  const select = db.selectFrom("queue_rollouts").selectAll().where("rollout_id", "=", given.rolloutId);
  return dialect === "postgres" ? select.forUpdate() : select;
});
/** SQLite has one writer: for it, this only looks the key up. */
const lockKey = statement<{ rolloutId: string }>()(({ db, given, dialect }) => {
  const select = db.selectFrom("queue_rollouts").select("key").where("rollout_id", "=", given.rolloutId);
  return dialect === "postgres" ? select.forUpdate() : select;
});
const saveStateOf = statement<
  Pick<QueueRolloutRow, "key" | "status" | "end_time" | "place" | "attempts" | "deadline">
>()(({ db, given }) =>
  db
    .updateTable("queue_rollouts")
    .set({
      ...{ status: given.status, end_time: given.end_time, place: given.place, attempts: given.attempts },
      deadline: given.deadline,
    })
    .where("key", "=", given.key),
);
const saveFields = statement<{
  key: number;
  input: string;
  mode: RolloutMode | null;
  resources_id: string | null;
  config: string;
  metadata: string | null;
}>()(({ db, given }) =>
  db
    .updateTable("queue_rollouts")
    .set({
      ...{ input: given.input, mode: given.mode, resources_id: given.resources_id, config: given.config },
      metadata: given.metadata,
    })
    .where("key", "=", given.key),
);
