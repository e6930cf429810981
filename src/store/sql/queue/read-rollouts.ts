import { sql } from "kysely";
import type { Page, RolloutsQuery } from "../../rollout-query.ts";
import type { AttemptedRollout, Rollout } from "../../rollout-record.ts";
import { terminalStatuses } from "../../rollout-record.ts";
import type { Operation } from "../operation.ts";
import { episodeRollouts } from "./episode-rollouts.ts";
import { episodeKeyOf } from "./ids.ts";
import { contains, type Listing, pageOf, within } from "./page.ts";
import { attemptedOf } from "./records.ts";
import { attemptedRow, attemptedRows } from "./rollout-rows.ts";

export function* readRollout(rolloutId: string): Operation<Rollout | AttemptedRollout | null> {
  const episode = episodeKeyOf(rolloutId);
  if (episode !== null) return (yield* episodeRollouts([episode]))[0] ?? null;
  const row = yield* attemptedRow(rolloutId);
  return row === undefined ? null : attemptedOf(row);
}

export function* readRollouts(query: RolloutsQuery): Operation<Page<Rollout | AttemptedRollout>> {
  const { status_in, rollout_id_in, rollout_id_contains } = query;
  const filters = [
    ...within("status", status_in),
    ...within("rollout_id", rollout_id_in),
    ...contains("rollout_id", rollout_id_contains),
  ];
  const page = yield* pageOf<{ source: number; key: number }>(listing, query, { filters });
  return { ...page, items: yield* recordsOf(page.items) };
}

/** Rollouts that have ended, in the order of the ids, and how many of the ids are those of rollouts that have not. */
export function* readEnded(
  rolloutIds: readonly string[],
): Operation<{ readonly ended: readonly Rollout[]; readonly open: number }> {
  const found = new Map<string, Rollout>();
  for (const ids of pieces(rolloutIds)) {
    for (const row of yield* attemptedRows("rollout_id", ids)) found.set(row.rollout_id, attemptedOf(row));
    const episodes = ids.map(episodeKeyOf).filter((key) => key !== null);
    for (const rollout of yield* episodeRollouts(episodes)) found.set(rollout.rollout_id, rollout);
  }
  const rollouts = rolloutIds.flatMap((id) => found.get(id) ?? []);
  const ended = rollouts.filter(({ status }) => terminalStatuses.includes(status));
  return { ended, open: rollouts.length - ended.length };
}

/** In the order of the page. */
function* recordsOf(
  items: readonly { readonly source: number; readonly key: number }[],
): Operation<readonly (Rollout | AttemptedRollout)[]> {
  const records = new Map<string, Rollout | AttemptedRollout>();
  const [queued, episodes] = [0, 1].map((source) =>
    items.filter((item) => item.source === source).map(({ key }) => key),
  );
  for (const keys of pieces(queued ?? [])) {
    const rows = yield* attemptedRows("key", keys);
    for (const row of rows) records.set(`0 ${row.key}`, attemptedOf(row));
  }
  for (const keys of pieces(episodes ?? [])) {
    const rollouts = yield* episodeRollouts(keys);
    for (const rollout of rollouts) records.set(`1 ${episodeKeyOf(rollout.rollout_id)}`, rollout);
  }
  return items.flatMap(({ source, key }) => records.get(`${source} ${key}`) ?? []);
}

/** Databases bound how many values a statement has. */
const pieceMax = 1000;

function* pieces<Key>(keys: readonly Key[]): Generator<readonly Key[]> {
  for (let start = 0; start < keys.length; start += pieceMax) yield keys.slice(start, start + pieceMax);
}

const listing: Listing = {
  from: sql`lightning_rollouts`,
  select: sql`source, key`,
  sortable: {
    ...{ rollout_id: "text", start_time: "number", end_time: "number", mode: "text", resources_id: "text" },
    status: "text",
  },
  order: sql`source, key`,
};
