import type { DequeueRequest } from "../../rollout-queue.ts";
import type { AttemptedRollout } from "../../rollout-record.ts";
import { type Operation, rowsOf } from "../operation.ts";
import { statement } from "../statement.ts";
import { newAttempt } from "./rollout-rows.ts";
import { noteIdle, syncWorker } from "./worker-rows.ts";

/** Hands out the oldest of the queue, each to one worker alone. */
export function* dequeue(
  { limit = 1, worker_id = null }: DequeueRequest,
  now: number,
): Operation<readonly AttemptedRollout[]> {
  const rows = limit <= 0 ? [] : yield* rowsOf(selectWaiting, { limit });
  const handedOut: AttemptedRollout[] = [];
  for (const row of rows) handedOut.push(yield* newAttempt(row, worker_id, now, { sync: false }));
  if (worker_id === null) return handedOut;
  // A worker can be busy with one attempt at a time, in its row: the last.
  const last = handedOut.at(-1);
  if (last === undefined) yield* noteIdle(worker_id, now);
  else yield* syncWorker(last.attempt, now, true);
  return handedOut;
}

const selectWaiting = statement<{ limit: number }>()(({ db, given, dialect }) => {
  const select = db
    .selectFrom("queue_rollouts")
    .selectAll()
    .where("place", "is not", null)
    .orderBy("place")
    .limit(given.limit);
  return dialect === "postgres" ? select.forUpdate().skipLocked() : select;
});
