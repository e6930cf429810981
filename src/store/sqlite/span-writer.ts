import type { DatabaseSync, StatementSync } from "node:sqlite";
import { FaradayError } from "../../core/errors.ts";
import type { Span } from "../span.ts";
import { prepareInsert } from "./insert.ts";

/** Inserts spans; those that the run has already are left as they are. Runs inside the caller's transaction. */
export class SpanWriter {
  readonly #insert: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insert = prepareInsert(
      database,
      `spans (run, episode, trace_id, span_id, parent_id, name, status, worker, epoch, start_sequence, end_sequence,
        attributes)`,
      "ON CONFLICT (run, episode, span_id) DO NOTHING",
    );
  }

  /** How many were new. */
  write(run: number, spans: readonly Span[]): number {
    let inserted = 0;
    for (const span of spans) inserted += this.#writeOne(run, span);
    return inserted;
  }

  #writeOne(run: number, span: Span): number {
    checkIds(span);
    const { changes } = this.#insert.run(
      run,
      span.episode,
      span.traceId,
      span.spanId,
      span.parentId,
      span.name,
      span.status,
      span.worker,
      span.epoch,
      span.startSequence,
      span.endSequence,
      JSON.stringify(span.attributes),
    );
    return Number(changes);
  }
}

const traceIdForm = /^(?!0+$)[0-9a-f]{32}$/;
const spanIdForm = /^(?!0+$)[0-9a-f]{16}$/;

/** The forms of https://www.w3.org/TR/trace-context/#traceparent-header-field-values; all zeros is invalid. */
function checkIds(span: Span): void {
  const { traceId, spanId, parentId } = span;
  if (traceIdForm.test(traceId) && spanIdForm.test(spanId) && (parentId === null || spanIdForm.test(parentId))) return;
  throw new FaradayError(
    `a span needs OpenTelemetry ids of 32 and 16 hexadecimal digits, got ${JSON.stringify({ traceId, spanId, parentId })} in episode ${span.episode}`,
  );
}
