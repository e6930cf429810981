import type { SpanAttributes } from "../store/span.ts";
import type { OtlpSpan } from "./otlp-span.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

const kindInternal = 1;
const statusCodes = { UNSET: 0, OK: 1, ERROR: 2 } as const;

/** An ExportTraceServiceRequest of OTLP 1: all spans of one resource and one scope. */
export function writeTraceRequest(spans: readonly OtlpSpan[], resource: SpanAttributes): Buffer {
  const writer = new ProtobufWriter();
  writer.message(1, () => {
    writer.message(1, () => writeAttributes(writer, 1, resource));
    writer.message(2, () => {
      writer.message(1, () => writer.text(1, "faraday-rl"));
      for (const span of spans) writer.message(2, () => writeSpan(writer, span));
    });
  });
  return writer.bytes;
}

function writeSpan(writer: ProtobufWriter, span: OtlpSpan): void {
  const { traceId, spanId, parentId, name, startMs, endMs, attributes, link, status } = span;
  writer.hex(1, traceId);
  writer.hex(2, spanId);
  if (parentId !== null) writer.hex(4, parentId);
  writer.text(5, name);
  writer.integer(6, kindInternal);
  writer.fixed64(7, nanoseconds(startMs));
  writer.fixed64(8, nanoseconds(Math.max(startMs, endMs)));
  writeAttributes(writer, 9, attributes);
  if (link !== undefined) {
    writer.message(13, () => {
      writer.hex(1, link.traceId);
      writer.hex(2, link.spanId);
    });
  }
  if (status !== "UNSET") writer.message(15, () => writer.integer(3, statusCodes[status]));
}

function writeAttributes(writer: ProtobufWriter, field: number, attributes: SpanAttributes): void {
  for (const [key, value] of Object.entries(attributes)) {
    writer.message(field, () => {
      writer.text(1, key);
      writer.message(2, () => writeValue(writer, key, value));
    });
  }
}

/** Backends give a column one type: what may have fractions is a double, also where it has none. */
const doubles = /^(?:gen_ai\.evaluation\.score\.value|faraday\.(?:reward|cost|advantage|metric\..*))$/;

function writeValue(writer: ProtobufWriter, key: string, value: string | number | boolean): void {
  if (typeof value === "string") writer.text(1, value);
  else if (typeof value === "boolean") writer.integer(2, Number(value));
  else if (Number.isSafeInteger(value) && !doubles.test(key)) writer.integer(3, value);
  else writer.double(4, value);
}

function nanoseconds(ms: number): bigint {
  const whole = Math.floor(ms);
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6));
}
