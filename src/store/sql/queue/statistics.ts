import { sql } from "kysely";
import { type Operation, rowsOnce } from "../operation.ts";

export interface Counts {
  readonly total_rollouts: number;
  readonly total_attempts: number;
  readonly total_spans: number;
  readonly total_resources: number;
  readonly total_workers: number;
}

/** Episodes of training runs are rollouts with one attempt each. */
export function* countAll(): Operation<Counts> {
  const [row] = yield* rowsOnce<Counts & { readonly episodes: number }>(({ db }) => {
    const counts = sql<Counts & { episodes: number }>`SELECT
      (SELECT count(*) FROM rollouts) AS episodes,
      (SELECT count(*) FROM queue_rollouts) AS total_rollouts,
      (SELECT count(*) FROM queue_attempts) AS total_attempts,
      (SELECT count(*) FROM queue_spans) + (SELECT count(*) FROM spans)
        + (SELECT coalesce(sum(spans), 0) FROM iterations) AS total_spans,
      (SELECT count(*) FROM queue_resources) AS total_resources,
      (SELECT count(*) FROM queue_workers) AS total_workers`;
    return { compile: () => counts.compile(db) };
  });
  const { episodes = 0, ...counts } = row ?? { ...none, episodes: 0 };
  const { total_rollouts, total_attempts } = counts;
  return { ...counts, total_rollouts: total_rollouts + episodes, total_attempts: total_attempts + episodes };
}

const none: Counts = { total_rollouts: 0, total_attempts: 0, total_spans: 0, total_resources: 0, total_workers: 0 };
