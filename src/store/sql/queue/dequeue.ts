import { type RawBuilder, sql } from "kysely";
import type { DequeueRequest } from "../../rollout-queue.ts";
import type { AttemptedRollout } from "../../rollout-record.ts";
import type { Dialect } from "../dialect.ts";
import { type Operation, rowsOf } from "../operation.ts";
import { statement } from "../statement.ts";
import type { QueueRolloutRow } from "../tables.ts";
import { newAttempt } from "./rollout-rows.ts";
import { noteIdle, syncWorker } from "./worker-rows.ts";

/** Hands out the oldest of the queue, each to one worker alone. */
export function* dequeue(
  { limit = 1, worker_id = null }: DequeueRequest,
  now: number,
): Operation<readonly AttemptedRollout[]> {
  const rows = limit <= 0 ? [] : yield* rowsOf(takeWaiting, { limit });
  const handedOut: AttemptedRollout[] = [];
  for (const row of rows) handedOut.push(yield* newAttempt(row, worker_id, now, { sync: false }));
  if (worker_id === null) return handedOut;
  // A worker can be busy with one attempt at a time, in its row: the last.
  const last = handedOut.at(-1);
  if (last === undefined) yield* noteIdle(worker_id, now);
  else yield* syncWorker(last.attempt, now, true);
  return handedOut;
}

const takeWaiting = statement<{ limit: number }>()<QueueRolloutRow>(({ db, given, dialect }) => {
  const rows = waitingOf[dialect](given.limit);
  return { compile: () => rows.compile(db) };
});
/**
 * The oldest that wait. SQLite has one writer. In PostgreSQL they leave the queue at once: of several who take in one transaction, none
 * is kept from what the others have by a lock.
 */
const waitingOf: Readonly<Record<Dialect, (limit: number) => RawBuilder<QueueRolloutRow>>> = {
  sqlite: (limit) => sql`SELECT * FROM queue_rollouts WHERE place IS NOT NULL ORDER BY place LIMIT ${limit}`,
  postgres: (limit) => sql`WITH waiting AS MATERIALIZED (
      SELECT * FROM queue_rollouts WHERE place IS NOT NULL ORDER BY place LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ), taken AS (UPDATE queue_rollouts SET place = NULL FROM waiting WHERE queue_rollouts.key = waiting.key)
    SELECT * FROM waiting ORDER BY place`,
};
