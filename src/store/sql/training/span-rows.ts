import { FaradayError } from "../../../core/errors.ts";
import type { Span } from "../../span.ts";
import { batchSpans } from "../../spans-of.ts";
import { change, firstOf, insertRows, type Operation, rowsOf, rowsOnce } from "../operation.ts";
import { statement } from "../statement.ts";
import type { SpanRow } from "../tables.ts";
import { readBatchSegments } from "./audit-rows.ts";

// Spans of stored batches are no rows: they follow from the audit records, and are made when they are asked for. Rows are those that came
// from elsewhere, and those of versions before 3.

export interface RunOf {
  readonly id: string;
  readonly key: number;
}

/** Spans in the order of their recorders, of all episodes or of one. */
export function* readSpans(run: RunOf, episode: string | undefined): Operation<readonly Span[]> {
  const spans = yield* rowsOnce(({ db }) => {
    const query = db.selectFrom("spans").selectAll().where("run", "=", run.key);
    return episode === undefined ? query : query.where("episode", "=", episode);
  });
  const given = yield* derivedSpans(run, episode === undefined ? undefined : new Set([episode]));
  return [...given, ...spans.map(spanOf)].sort(byPlace);
}

export function* countSpans(run: number): Operation<number> {
  const derived = yield* firstOf(sumSpans, { run });
  const rows = yield* firstOf(countRows, { run });
  return Number(derived?.spans ?? 0) + Number(rows?.spans ?? 0);
}

/** Stores those that the run does not have yet. @returns How many they were. */
export function* importSpans(run: RunOf, spans: readonly Span[]): Operation<number> {
  for (const span of spans) checkIds(span);
  const derived = yield* derivedSpans(run, new Set(spans.map(({ episode }) => episode)));
  const known = new Set(derived.map(nameOf));
  const fresh = known.size === 0 ? spans : spans.filter((span) => !known.has(nameOf(span)));
  const { changes } = yield* insertRows({
    table: "spans",
    columns: [
      ...["run", "episode", "trace_id", "span_id", "parent_id", "name", "status", "worker", "epoch", "start_sequence"],
      ...["end_sequence", "attributes"],
    ],
    rows: fresh.map((span) => [
      ...[run.key, span.episode, span.traceId, span.spanId, span.parentId, span.name, span.status, span.worker],
      ...[span.epoch, span.startSequence, span.endSequence, JSON.stringify(span.attributes)],
    ]),
    unless: ["run", "episode", "span_id"],
  });
  return changes;
}

/** Takes away the rows of spans that a batch's records give from now on. */
export function* dropSpans(run: number, spans: () => readonly Span[]): Operation<void> {
  if ((yield* firstOf(anyRow, { run })) === undefined) return;
  for (const { episode, spanId } of spans()) yield* change(deleteRow, { run, episode, spanId });
}

/** Spans of stored batches: of all episodes, or of those that are asked for. */
function* derivedSpans(run: RunOf, episodes: ReadonlySet<string> | undefined): Operation<readonly Span[]> {
  const spans: Span[] = [];
  const batches = yield* rowsOf(selectBatches, { run: run.key });
  for (const { key, emit_violations } of batchesOf(batches, episodes)) {
    const segments = yield* readBatchSegments(key);
    const all = derived(run, segments, { emitViolations: emit_violations === 1 });
    for (const span of all) if (episodes === undefined || episodes.has(span.episode)) spans.push(span);
  }
  return spans;
}

/** Records that were tampered with give nothing, as verification tells. */
function derived(run: RunOf, ...of: Parameters<typeof batchSpans> extends [string, ...infer Rest] ? Rest : never) {
  try {
    return batchSpans(run.id, ...of);
  } catch (error) {
    if (error instanceof FaradayError) return [];
    throw error;
  }
}

/** An episode's id names its batch; where one does not, it may be in any. */
function batchesOf<Batch extends { readonly phase: string; readonly iteration: number }>(
  batches: readonly Batch[],
  episodes: ReadonlySet<string> | undefined,
): readonly Batch[] {
  if (episodes === undefined) return batches;
  const names = new Set<string>();
  for (const episode of episodes) {
    const name = /^[a-z]+-\d+(?=-)/.exec(episode)?.[0];
    if (name === undefined) return batches;
    names.add(name);
  }
  return batches.filter(({ phase, iteration }) => names.has(`${phase}-${iteration}`));
}

function nameOf({ episode, spanId }: Span): string {
  return `${spanId} ${episode}`;
}

function spanOf(row: SpanRow): Span {
  return {
    ...{ traceId: row.trace_id, spanId: row.span_id, parentId: row.parent_id, name: row.name, status: row.status },
    ...{ episode: row.episode, worker: row.worker, epoch: row.epoch },
    ...{ startSequence: row.start_sequence, endSequence: row.end_sequence, attributes: JSON.parse(row.attributes) },
  };
}

function byPlace(one: Span, other: Span): number {
  return (
    one.worker - other.worker ||
    one.epoch - other.epoch ||
    one.startSequence - other.startSequence ||
    (one.spanId < other.spanId ? -1 : 1)
  );
}

const traceIdForm = /^(?!0+$)[0-9a-f]{32}$/;
const spanIdForm = /^(?!0+$)[0-9a-f]{16}$/;

/** The forms of https://www.w3.org/TR/trace-context/#traceparent-header-field-values; all zeros is invalid. */
function checkIds({ traceId, spanId, parentId, episode }: Span): void {
  if (traceIdForm.test(traceId) && spanIdForm.test(spanId) && (parentId === null || spanIdForm.test(parentId))) return;
  throw new FaradayError(
    `a span needs OpenTelemetry ids of 32 and 16 hexadecimal digits, got ${JSON.stringify({ traceId, spanId, parentId })} in episode ${episode}`,
  );
}

/** Those of versions before 3 have their spans as rows. */
const selectBatches = statement<{ run: number }>()(({ db, given }) =>
  db
    .selectFrom("iterations")
    .select(["key", "phase", "iteration", "emit_violations"])
    .where("run", "=", given.run)
    .where("emit_violations", "is not", null)
    .orderBy("key"),
);
const sumSpans = statement<{ run: number }>()(({ db, given }) =>
  db
    .selectFrom("iterations")
    .select(({ fn }) => fn.sum<number>("spans").as("spans"))
    .where("run", "=", given.run),
);
const countRows = statement<{ run: number }>()(({ db, given }) =>
  db
    .selectFrom("spans")
    .select(({ fn }) => fn.countAll<number>().as("spans"))
    .where("run", "=", given.run),
);
const anyRow = statement<{ run: number }>()(({ db, given }) =>
  db.selectFrom("spans").select("run").where("run", "=", given.run).limit(1),
);
const deleteRow = statement<{ run: number; episode: string; spanId: string }>()(({ db, given }) =>
  db
    .deleteFrom("spans")
    .where("run", "=", given.run)
    .where("episode", "=", given.episode)
    .where("span_id", "=", given.spanId),
);
