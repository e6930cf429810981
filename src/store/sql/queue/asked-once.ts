import { sql } from "kysely";
import type { EnqueueRolloutRequest } from "../../rollout-queue.ts";
import type { AttemptedRollout } from "../../rollout-record.ts";
import { BadValueError } from "../../store-errors.ts";
import { type Operation, rowsOnce } from "../operation.ts";
import { newRolloutId, rolloutIdOf } from "./ids.ts";
import { type AttemptedRow, attemptedOf } from "./records.ts";
import { attemptedRow } from "./rollout-rows.ts";

// Requests under an idempotency key: the ids of their rollouts derive from it, so that what is there tells whether they came before.

/**
 * What the same requests made when they came first; `null` where they did not. Nobody else asks under the key until the transaction ends.
 * @throws {BadValueError} where others came under the key.
 */
export function* madeBefore(
  requests: readonly EnqueueRolloutRequest[],
  key: string | undefined,
): Operation<readonly AttemptedRow[] | null> {
  if (key === undefined) return null;
  yield* lockKey(key);
  const rows: AttemptedRow[] = [];
  // Whether there is one more tells whether it was another request.
  for (let index = 0; index <= requests.length; index++) {
    const row = yield* attemptedRow(rolloutIdOf(key, index));
    if (row === undefined) break;
    rows.push(row);
  }
  if (rows.length === 0) return null;
  const same = requests.every(({ input }, index) => rows[index]?.input === textOf(input));
  if (same && rows.length === requests.length) return rows;
  throw anotherRequest(key);
}

/** As {@link madeBefore}, of a rollout that was begun at once. */
export function* startedBefore(
  request: EnqueueRolloutRequest,
  key: string | undefined,
): Operation<AttemptedRollout | null> {
  const [row] = (yield* madeBefore([request], key)) ?? [];
  if (row === undefined) return null;
  const rollout = attemptedOf(row);
  if ("attempt" in rollout) return rollout;
  throw anotherRequest(String(key));
}

export function idOf(key: string | undefined, index: number): string {
  return key === undefined ? newRolloutId() : rolloutIdOf(key, index);
}

/** An input as its column has it. */
export function textOf(input: unknown): string {
  return JSON.stringify(input ?? null);
}

/** SQLite has one writer. */
function* lockKey(key: string): Operation<void> {
  yield* rowsOnce(({ db, dialect }) => {
    const lock = sql<never>`SELECT pg_advisory_xact_lock(hashtextextended(${key}, 0))`;
    return { compile: () => (dialect === "postgres" ? lock : sql<never>`SELECT 1`).compile(db) };
  });
}

function anotherRequest(key: string): BadValueError {
  return new BadValueError(
    `the idempotency key ${JSON.stringify(key)} stands for other rollouts; each request needs its own`,
  );
}
