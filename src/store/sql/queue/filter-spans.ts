import type { Page, SpansQuery } from "../../rollout-query.ts";
import type { RolloutSpan } from "../../rollout-span.ts";
import { BadValueError } from "../../store-errors.ts";

/** What a query asks of spans that are at hand, as the database would answer it of rows. */
export function filterSpans(spans: readonly RolloutSpan[], query: SpansQuery): Page<RolloutSpan> {
  const { attempt_id = null, limit = -1, offset = 0, filter_logic = "and" } = query;
  if (limit === 0 || limit < -1) throw new BadValueError(`limit must be -1 or at least 1, got ${limit}`);
  if (offset < 0) throw new BadValueError(`offset must be at least 0, got ${offset}`);
  const tests = testsOf(query);
  const found = spans.filter((span) => {
    if (attempt_id !== null && attempt_id !== "latest" && span.attempt_id !== attempt_id) return false;
    if (tests.length === 0) return true;
    return filter_logic === "or" ? tests.some((test) => test(span)) : tests.every((test) => test(span));
  });
  const sorted = sortedBy(found, query);
  return { items: sorted.slice(offset, limit < 0 ? undefined : offset + limit), limit, offset, total: found.length };
}

const fields = ["trace_id", "span_id", "parent_id", "name"] as const;

function testsOf(query: SpansQuery): readonly ((span: RolloutSpan) => boolean)[] {
  return fields.flatMap((field) => {
    const [exact, part] = [query[field] ?? null, query[`${field}_contains`] ?? null];
    return [
      ...(exact === null ? [] : [(span: RolloutSpan) => span[field] === exact]),
      ...(part === null ? [] : [(span: RolloutSpan) => span[field]?.includes(part) ?? false]),
    ];
  });
}

const sortable = [...fields, "sequence_id", "rollout_id", "attempt_id", "start_time", "end_time"] as const;

function sortedBy(spans: readonly RolloutSpan[], { sort_by = "sequence_id", sort_order = "asc" }: SpansQuery) {
  if (sort_by === null) return spans;
  const field = sortable.find((name) => name === sort_by);
  if (field === undefined) {
    throw new BadValueError(`sort_by must be one of ${sortable.join(", ")}, got ${JSON.stringify(sort_by)}`);
  }
  const absent = field.endsWith("_time") ? Number.POSITIVE_INFINITY : "";
  const sign = sort_order === "desc" ? -1 : 1;
  return spans.toSorted((one, other) => {
    const [a, b] = [one[field] ?? absent, other[field] ?? absent];
    return a === b ? 0 : sign * (a < b ? -1 : 1);
  });
}
