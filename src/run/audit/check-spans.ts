import type { LoggedSegment } from "../../audit/audit-log.ts";
import { canonicalJson } from "../../core/canonical-json.ts";
import { FaradayError } from "../../core/errors.ts";
import type { Span } from "../../store/span.ts";
import { batchSpans } from "../../store/spans-of.ts";
import type { OnFinding } from "./run-finding.ts";

export interface SpansChecked {
  /** What the store gives of the run, by episode. */
  readonly stored: ReadonlyMap<string, readonly Span[]>;
  readonly run: string;
  readonly emitViolations: boolean;
}

/**
 * Compares the stored spans of the episodes of a batch with those that its records give.
 * @returns How many there should be; `null` where the records cannot be read, which the log's own findings say.
 */
export function checkSpans(
  segments: readonly LoggedSegment[],
  { stored, run, emitViolations }: SpansChecked,
  onFinding: OnFinding,
): number | null {
  const expected = expectedSpans(run, segments, emitViolations);
  if (expected === null) return null;
  for (const [episode, spans] of Map.groupBy(expected, (span) => span.episode)) {
    const fault = differenceOf(spans, stored.get(episode.toWellFormed()) ?? stored.get(episode) ?? []);
    if (fault === null) continue;
    const { worker, epoch } = spans[0] as Span;
    onFinding({ code: "span-changed", message: `episode ${episode}: ${fault}`, worker, epoch, episode });
  }
  return expected.length;
}

function expectedSpans(run: string, segments: readonly LoggedSegment[], emitViolations: boolean) {
  try {
    return batchSpans(run, segments, { emitViolations });
  } catch (error) {
    if (error instanceof FaradayError) return null;
    throw error;
  }
}

function differenceOf(expected: readonly Span[], stored: readonly Span[]): string | null {
  const byId = new Map(stored.map((span) => [span.spanId, span]));
  for (const span of expected) {
    const found = byId.get(span.spanId);
    if (found === undefined) return `span ${span.spanId} (${span.name}) is missing`;
    if (canonicalJson(wellFormed(found)) !== canonicalJson(wellFormed(span))) {
      return `span ${span.spanId} (${span.name}) is not what the records give`;
    }
  }
  const more = stored.length - expected.length;
  return more > 0 ? `${more} ${more === 1 ? "span was" : "spans were"} added` : null;
}

/** A store holds whole characters. Attributes are kept as JSON, where half of one stays. */
function wellFormed(span: Span): Span {
  return { ...span, name: span.name.toWellFormed(), episode: span.episode.toWellFormed() };
}
