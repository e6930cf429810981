import type { RolloutSpanEvent, RolloutSpanLink } from "../rollout-span.ts";
import { type Attributes, readAttribute } from "./any-value.ts";
import type { ProtobufReader } from "./protobuf-reader.ts";

/** A span as an OTLP request has it, before it is known whose it is. */
export interface OtlpSpan {
  trace_id: string;
  span_id: string;
  parent_id: string | null;
  name: string;
  start_time: number | null;
  end_time: number | null;
  status: { status_code: "UNSET" | "OK" | "ERROR"; description: string | null };
  readonly attributes: Attributes;
  readonly events: RolloutSpanEvent[];
  readonly links: RolloutSpanLink[];
}

const statusCodes = ["UNSET", "OK", "ERROR"] as const;

/** opentelemetry.proto.trace.v1.Span. Trace state, kind, flags and counts of what was dropped have no place in the store. */
export function readSpan(reader: ProtobufReader): OtlpSpan {
  const outer = reader.enter();
  const span = emptySpan();
  while (reader.more) readSpanField(reader, span);
  reader.leave(outer);
  return span;
}

function emptySpan(): OtlpSpan {
  return {
    trace_id: traceId(""),
    span_id: spanId(""),
    parent_id: null,
    name: "",
    start_time: null,
    end_time: null,
    status: { status_code: "UNSET", description: null },
    attributes: {},
    events: [],
    links: [],
  };
}

function readSpanField(reader: ProtobufReader, span: OtlpSpan): void {
  const tag = reader.tag();
  switch (tag) {
    case 0x0a:
      span.trace_id = traceId(reader.hex());
      break;
    case 0x12:
      span.span_id = spanId(reader.hex());
      break;
    case 0x22: {
      const parent = reader.hex();
      span.parent_id = parent === "" ? null : spanId(parent);
      break;
    }
    case 0x2a:
      span.name = reader.word();
      break;
    case 0x39:
      span.start_time = reader.time();
      break;
    case 0x41:
      span.end_time = reader.time();
      break;
    case 0x4a:
      readAttribute(reader, span.attributes);
      break;
    case 0x5a:
      span.events.push(readEvent(reader));
      break;
    case 0x6a:
      span.links.push(readLink(reader));
      break;
    case 0x7a:
      span.status = readStatus(reader);
      break;
    default:
      reader.skip(tag);
  }
}

function readEvent(reader: ProtobufReader): RolloutSpanEvent {
  const outer = reader.enter();
  const attributes: Attributes = {};
  let name = "";
  let timestamp: number | null = null;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 0x09) timestamp = reader.time();
    else if (tag === 0x12) name = reader.word();
    else if (tag === 0x1a) readAttribute(reader, attributes);
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { name, attributes, timestamp };
}

function readLink(reader: ProtobufReader): RolloutSpanLink {
  const outer = reader.enter();
  const attributes: Attributes = {};
  let trace = "";
  let span = "";
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 0x0a) trace = reader.hex();
    else if (tag === 0x12) span = reader.hex();
    else if (tag === 0x22) readAttribute(reader, attributes);
    else reader.skip(tag);
  }
  reader.leave(outer);
  const context = { trace_id: traceId(trace), span_id: spanId(span), is_remote: false, trace_state: {} };
  return { context, attributes: Object.keys(attributes).length === 0 ? null : attributes };
}

function readStatus(reader: ProtobufReader): OtlpSpan["status"] {
  const outer = reader.enter();
  let description: string | null = null;
  let code = 0;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 0x12) description = reader.text();
    else if (tag === 0x18) code = reader.varint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return { status_code: statusCodes[code] ?? "UNSET", description: description === "" ? null : description };
}

function traceId(hex: string): string {
  return hex.length < 32 ? hex.padStart(32, "0") : hex;
}

function spanId(hex: string): string {
  return hex.length < 16 ? hex.padStart(16, "0") : hex;
}
