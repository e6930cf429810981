import type { SpanAttributes, SpanStatus } from "../store/span.ts";

/** A span with its time, as OTLP sends it. */
export interface OtlpSpan {
  /** 32 and 16 hexadecimal digits. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  readonly name: string;
  /** Milliseconds since 1970, with their fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly status: SpanStatus;
  readonly attributes: SpanAttributes;
  readonly link?: { readonly traceId: string; readonly spanId: string };
}
