import { sql } from "kysely";
import type { Page, WorkersQuery } from "../../rollout-query.ts";
import type { WorkerPatch } from "../../rollout-queue.ts";
import type { Attempt, Worker, WorkerStatus } from "../../rollout-record.ts";
import { BadValueError } from "../../store-errors.ts";
import { change, firstOf, type Operation } from "../operation.ts";
import { statement } from "../statement.ts";
import type { QueueWorkerRow } from "../tables.ts";
import { contains, type Listing, pageOf, within } from "./page.ts";
import { workerOf } from "./records.ts";

/** Says of a worker what its attempt says: busy with it, idle after it, or unknown where it was given up. */
export function* syncWorker(attempt: Attempt, now: number, dequeued = false): Operation<void> {
  const { worker_id, status, rollout_id, attempt_id } = attempt;
  if (worker_id === null || worker_id === "") return;
  const ended = status !== "preparing" && status !== "running";
  const next = !ended ? "busy" : status === "succeeded" || status === "failed" ? "idle" : "unknown";
  yield* change(saveWorker, {
    ...{ worker_id, status: next, dequeued: dequeued ? now : null },
    ...{ busy: ended ? null : now, idle: ended ? now : null },
    ...{ rollout: ended ? null : rollout_id, attempt: ended ? null : attempt_id },
  });
}

/** A worker that asked for work and found none. */
export function* noteIdle(workerId: string, now: number): Operation<void> {
  const worker = yield* firstOf(selectWorker, { workerId });
  const isIdle = worker?.status === "idle";
  yield* change(saveWorker, {
    ...{ worker_id: workerId, status: "idle", dequeued: now, busy: null, idle: isIdle ? null : now },
    ...{ rollout: worker?.current_rollout_id ?? null, attempt: worker?.current_attempt_id ?? null },
  });
}

/** @throws {BadValueError} for null where something must be. */
export function* updateWorker(workerId: string, { heartbeat_stats }: WorkerPatch, now: number): Operation<Worker> {
  if (heartbeat_stats === null) throw new BadValueError("heartbeat_stats of a worker must not be null");
  const stats = heartbeat_stats === undefined ? null : JSON.stringify(heartbeat_stats);
  const row = yield* firstOf(saveHeartbeat, { workerId, stats, now });
  return workerOf(row as QueueWorkerRow);
}

export function* readWorker(workerId: string): Operation<Worker | null> {
  const row = yield* firstOf(selectWorker, { workerId });
  return row === undefined ? null : workerOf(row);
}

export function* readWorkers(query: WorkersQuery): Operation<Page<Worker>> {
  const filters = [...within("status", query.status_in), ...contains("worker_id", query.worker_id_contains)];
  const page = yield* pageOf<QueueWorkerRow>(listing, query, { filters });
  return { ...page, items: page.items.map(workerOf) };
}

const listing: Listing = {
  from: sql`queue_workers`,
  select: sql`*`,
  sortable: {
    ...{ worker_id: "text", status: "text", last_heartbeat_time: "number", last_dequeue_time: "number" },
    ...{ last_busy_time: "number", last_idle_time: "number", current_rollout_id: "text", current_attempt_id: "text" },
  },
  order: sql`key`,
};

const selectWorker = statement<{ workerId: string }>()(({ db, given }) =>
  db.selectFrom("queue_workers").selectAll().where("worker_id", "=", given.workerId),
);
/** Times that are null stay as they are. */
const saveWorker = statement<{
  worker_id: string;
  status: WorkerStatus;
  dequeued: number | null;
  busy: number | null;
  idle: number | null;
  rollout: string | null;
  attempt: string | null;
}>()(({ db, given }) =>
  db
    .insertInto("queue_workers")
    .values({
      ...{ worker_id: given.worker_id, status: given.status, last_dequeue_time: given.dequeued },
      ...{ last_busy_time: given.busy, last_idle_time: given.idle },
      ...{ current_rollout_id: given.rollout, current_attempt_id: given.attempt },
    })
    .onConflict((conflict) =>
      conflict.column("worker_id").doUpdateSet((eb) => ({
        status: eb.ref("excluded.status"),
        last_dequeue_time: eb.fn.coalesce("excluded.last_dequeue_time", "queue_workers.last_dequeue_time"),
        last_busy_time: eb.fn.coalesce("excluded.last_busy_time", "queue_workers.last_busy_time"),
        last_idle_time: eb.fn.coalesce("excluded.last_idle_time", "queue_workers.last_idle_time"),
        current_rollout_id: eb.ref("excluded.current_rollout_id"),
        current_attempt_id: eb.ref("excluded.current_attempt_id"),
      })),
    ),
);
const saveHeartbeat = statement<{ workerId: string; stats: string | null; now: number }>()(({ db, given }) =>
  db
    .insertInto("queue_workers")
    .values({
      ...{ worker_id: given.workerId, status: "unknown", heartbeat_stats: given.stats, last_heartbeat_time: given.now },
    })
    .onConflict((conflict) =>
      conflict.column("worker_id").doUpdateSet((eb) => ({
        heartbeat_stats: eb.fn.coalesce("excluded.heartbeat_stats", "queue_workers.heartbeat_stats"),
        last_heartbeat_time: eb.ref("excluded.last_heartbeat_time"),
      })),
    )
    .returningAll(),
);
