export const spanStatuses = ["UNSET", "OK", "ERROR"] as const;
export type SpanStatus = (typeof spanStatuses)[number];

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/**
 * A span as OpenTelemetry names its parts, except for time. A flight recorder has no clock, so that the same seed
 * gives the same bytes; the order of its records is the time of its spans.
 */
export interface Span {
  /** 32 lower-case hexadecimal digits, one trace an episode. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits. */
  readonly spanId: string;
  /** `null` for the span of the whole episode. */
  readonly parentId: string | null;
  readonly name: string;
  readonly status: SpanStatus;
  readonly episode: string;
  /** The recorder, and the sequences of the first and the last record that the span covers. */
  readonly worker: number;
  readonly epoch: number;
  readonly startSequence: number;
  readonly endSequence: number;
  readonly attributes: SpanAttributes;
}
