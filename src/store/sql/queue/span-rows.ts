import { sql } from "kysely";
import { parseExactly } from "../../exact-json.ts";
import type { Page, SpansQuery } from "../../rollout-query.ts";
import type { SpanOwner } from "../../rollout-queue.ts";
import type { RolloutSpan } from "../../rollout-span.ts";
import { firstOf, insertFresh, type Operation } from "../operation.ts";
import { statement, type Value } from "../statement.ts";
import type { QueueSpanRow } from "../tables.ts";
import { lockAttempt, noteHeartbeat, readLatestAttempt } from "./attempt-rows.ts";
import { contains, equals, type Listing, pageOf } from "./page.ts";

/** `null` for each span that its attempt has already. */
export function* addSpans(spans: readonly RolloutSpan[], now: number): Operation<readonly (RolloutSpan | null)[]> {
  const owners = ownersOf(spans);
  if (owners.length === 1) {
    const fresh = yield* addToAttempt(spans, now);
    return spans.map((span, index) => (fresh[index] === true ? span : null));
  }
  const results: (RolloutSpan | null)[] = spans.map(() => null);
  for (const [, indices] of owners) {
    const own = indices.map((index) => spans[index] as RolloutSpan);
    const fresh = yield* addToAttempt(own, now);
    for (const [place, index] of indices.entries())
      if (fresh[place] === true) results[index] = own[place] as RolloutSpan;
  }
  return results;
}

/** Places of the spans by their attempt. In the order of their names, so that two who add to the same ones do not wait for each other in a circle. */
function ownersOf(spans: readonly RolloutSpan[]): readonly (readonly [string, readonly number[]])[] {
  const owners = new Map<string, number[]>();
  let last: { readonly rollout_id: string; readonly attempt_id: string; readonly places: number[] } | undefined;
  for (const [index, { rollout_id, attempt_id }] of spans.entries()) {
    if (last?.attempt_id !== attempt_id || last.rollout_id !== rollout_id) {
      const name = `${rollout_id} ${attempt_id}`;
      const places = owners.get(name) ?? [];
      owners.set(name, places);
      last = { rollout_id, attempt_id, places };
    }
    last.places.push(index);
  }
  return [...owners].sort(([one], [other]) => (one < other ? -1 : 1));
}

/** Spans of one attempt. */
function* addToAttempt(spans: readonly RolloutSpan[], now: number): Operation<readonly boolean[]> {
  const { rollout_id, attempt_id } = spans[0] as RolloutSpan;
  const place = yield* lockAttempt(rollout_id, attempt_id);
  let last = 0;
  for (const { sequence_id } of spans) last = Math.max(last, sequence_id);
  yield* firstOf(raiseSequence, { rollout_id, last });
  const insert = {
    table: "queue_spans",
    columns: spanColumns,
    rows: spans.map((span) => valuesOf(place.attempt, span)),
    unless: ["attempt", "span_id"],
  } as const;
  const fresh = yield* insertFresh(insert);
  if (fresh.includes(true)) yield* noteHeartbeat(rollout_id, place, now);
  return fresh;
}

const spanColumns = [
  ...["attempt", "sequence_id", "trace_id", "span_id", "parent_id", "name", "start_time", "end_time", "rest"],
];

function valuesOf(attempt: number, span: RolloutSpan): readonly Value[] {
  const { sequence_id, trace_id, span_id, parent_id, name, start_time, end_time } = span;
  return [attempt, sequence_id, trace_id, span_id, parent_id, name, start_time, end_time, restOf(span)];
}

/** Most spans have no events, no links and no context: what is not there takes no space. */
function restOf(span: RolloutSpan): string {
  const { status, attributes, events, links, context, parent, resource } = span;
  return JSON.stringify({
    ...extraOf(span),
    status: status.description == null ? { status_code: status.status_code } : status,
    attributes,
    events: events.length === 0 ? undefined : events,
    links: links.length === 0 ? undefined : links,
    context: context ?? undefined,
    parent: parent ?? undefined,
    resource,
  });
}

const spanFields = [
  ...["rollout_id", "attempt_id", "sequence_id", "trace_id", "span_id", "parent_id", "name", "status", "attributes"],
  ...["events", "links", "start_time", "end_time", "context", "parent", "resource"],
];

/** What a span has besides; seldom anything. */
function extraOf(span: RolloutSpan): Readonly<Record<string, unknown>> | undefined {
  const names = Object.keys(span);
  if (names.length <= spanFields.length) return undefined;
  return Object.fromEntries(Object.entries(span).filter(([name]) => !spanFields.includes(name)));
}

/** Sequence ids for spans to come, one for each owner in their order. */
export function* nextSequenceIds(owners: readonly SpanOwner[]): Operation<readonly number[]> {
  const next = new Map<string, number>();
  // In the order of their ids, so that two who count for the same rollouts do not wait for each other in a circle.
  for (const [rollout_id, of] of [...Map.groupBy(owners, (owner) => owner.rollout_id)].sort()) {
    const { last } = (yield* firstOf(takeSequences, { rollout_id, count: of.length })) as { last: number };
    next.set(rollout_id, last - of.length);
  }
  return owners.map(({ rollout_id }) => {
    const id = (next.get(rollout_id) ?? 0) + 1;
    next.set(rollout_id, id);
    return id;
  });
}

/** Of a rollout of the queue. */
export function* querySpans(query: SpansQuery): Operation<Page<RolloutSpan>> {
  const { rollout_id, attempt_id, sort_by = "sequence_id", limit = -1, offset = 0 } = query;
  const attempt = attempt_id === "latest" ? (yield* readLatestAttempt(rollout_id))?.attempt_id : attempt_id;
  if (attempt_id === "latest" && attempt === undefined) return { items: [], limit, offset, total: 0 };
  const must = [...equals("rollout_id", rollout_id), ...equals("attempt_id", attempt)];
  const page = yield* pageOf<QueueSpanRow & SpanOwner>(
    listing,
    { ...query, sort_by },
    { must, filters: filtersOf(query) },
  );
  return { ...page, items: page.items.map(spanOf) };
}

function filtersOf(query: SpansQuery) {
  return (["trace_id", "span_id", "parent_id", "name"] as const).flatMap((field) => [
    ...equals(field, query[field]),
    ...contains(field, query[`${field}_contains`]),
  ]);
}

function spanOf(row: QueueSpanRow & SpanOwner): RolloutSpan {
  const { rollout_id, attempt_id, sequence_id, trace_id, span_id, parent_id, name, start_time, end_time } = row;
  const rest = parseExactly(row.rest) as Partial<RolloutSpan> & Pick<RolloutSpan, "status" | "attributes" | "resource">;
  return {
    ...{ rollout_id, attempt_id, sequence_id, trace_id, span_id, parent_id, name, start_time, end_time },
    ...{ events: [], links: [], context: null, parent: null },
    ...rest,
    status: { description: null, ...rest.status },
  };
}

const listing: Listing = {
  // Of rollouts and attempts only what is asked for: they have times too.
  from: sql`(SELECT key AS rollout_key, rollout_id FROM queue_rollouts) rollouts
    JOIN (SELECT key AS owner, rollout, attempt_id FROM queue_attempts) owners ON owners.rollout = rollout_key
    JOIN (SELECT attempt, sequence_id, trace_id, span_id, parent_id, name, start_time, end_time, rest FROM queue_spans) own
    ON own.attempt = owner`,
  select: sql`rollout_id, attempt_id, own.*`,
  sortable: {
    ...{ sequence_id: "number", trace_id: "text", span_id: "text", parent_id: "text", name: "text" },
    ...{ rollout_id: "text", attempt_id: "text", start_time: "number", end_time: "number" },
  },
  order: sql`sequence_id, span_id`,
};

const raiseSequence = statement<{ rollout_id: string; last: number }>()(({ db, given }) =>
  db
    .insertInto("queue_span_sequences")
    .values({ rollout_id: given.rollout_id, last: given.last })
    .onConflict((conflict) =>
      conflict
        .column("rollout_id")
        .doUpdateSet((eb) => ({ last: eb.ref("excluded.last") }))
        .whereRef("excluded.last", ">", "queue_span_sequences.last"),
    ),
);
const takeSequences = statement<{ rollout_id: string; count: number }>()(({ db, given }) =>
  db
    .insertInto("queue_span_sequences")
    .values({ rollout_id: given.rollout_id, last: given.count })
    .onConflict((conflict) =>
      conflict
        .column("rollout_id")
        .doUpdateSet((eb) => ({ last: eb("queue_span_sequences.last", "+", eb.ref("excluded.last")) })),
    )
    .returning("last"),
);
