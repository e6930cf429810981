import type { RolloutSpan } from "../rollout-span.ts";
import { type Attributes, readAttribute } from "./any-value.ts";
import { ProtobufReader } from "./protobuf-reader.ts";
import { type OtlpSpan, readSpan } from "./read-span.ts";

/** A span that says which attempt is its own; its number may be −1 until it is given one. */
export type ReceivedSpan = RolloutSpan & { sequence_id: number };

export interface TraceRequest {
  /** Spans that say which attempt is theirs; `sequence_id` is −1 where they do not say it. */
  readonly spans: readonly ReceivedSpan[];
  /** How many do not say it. */
  readonly ownerless: number;
}

type Resource = RolloutSpan["resource"];

const rolloutKey = "agentlightning.rollout_id";
const attemptKey = "agentlightning.attempt_id";
const sequenceKey = "agentlightning.span_sequence_id";

/**
 * The spans of an ExportTraceServiceRequest of OTLP. Whose a span is stands in its attributes, or else in those of its resource.
 * @throws {ProtobufError} where it is no such message.
 */
export function readTraceRequest(bytes: Buffer): TraceRequest {
  const reader = new ProtobufReader(bytes);
  const spans: ReceivedSpan[] = [];
  let ownerless = 0;
  while (reader.more) {
    const tag = reader.tag();
    if (tag !== 0x0a) reader.skip(tag);
    else {
      const read = readResourceSpans(reader);
      for (const span of read.spans) {
        const owned = ownedSpan(span, read.resource);
        if (owned === undefined) ownerless++;
        else spans.push(owned);
      }
    }
  }
  return { spans, ownerless };
}

function readResourceSpans(reader: ProtobufReader): {
  readonly resource: Resource;
  readonly spans: readonly OtlpSpan[];
} {
  const outer = reader.enter();
  const spans: OtlpSpan[] = [];
  const attributes: Attributes = {};
  let schemaUrl = "";
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 0x0a) readResource(reader, attributes);
    else if (tag === 0x12) readScopeSpans(reader, spans);
    else if (tag === 0x1a) schemaUrl = reader.text();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { resource: { attributes, schema_url: schemaUrl }, spans };
}

function readResource(reader: ProtobufReader, attributes: Attributes): void {
  const outer = reader.enter();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 0x0a) readAttribute(reader, attributes);
    else reader.skip(tag);
  }
  reader.leave(outer);
}

function readScopeSpans(reader: ProtobufReader, spans: OtlpSpan[]): void {
  const outer = reader.enter();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 0x12) spans.push(readSpan(reader));
    else reader.skip(tag);
  }
  reader.leave(outer);
}

function ownedSpan(span: OtlpSpan, resource: Resource): ReceivedSpan | undefined {
  const { attributes } = span;
  const rollout = attributes[rolloutKey] ?? resource.attributes[rolloutKey];
  const attempt = attributes[attemptKey] ?? resource.attributes[attemptKey];
  if (rollout === undefined || attempt === undefined) return undefined;
  return {
    rollout_id: String(rollout),
    attempt_id: String(attempt),
    sequence_id: sequenceId(attributes[sequenceKey] ?? resource.attributes[sequenceKey]),
    trace_id: span.trace_id,
    span_id: span.span_id,
    parent_id: span.parent_id,
    name: span.name,
    status: span.status,
    attributes,
    events: span.events,
    links: span.links,
    start_time: span.start_time,
    end_time: span.end_time,
    context: { trace_id: span.trace_id, span_id: span.span_id, is_remote: false, trace_state: {} },
    parent: null,
    resource,
  };
}

/** A whole number from 0, as a number or in decimal digits; anything else is none. */
function sequenceId(value: unknown): number {
  if (value === undefined || !/^ *\+?\d{1,15} *$/.test(String(value))) return -1;
  return Number(value);
}
