/**
 * An OpenTelemetry span of an attempt, in Agent Lightning 0.3's wire names. Times are seconds since 1970. Where the store says
 * `Span` it means a flight recorder's (span.ts), which has no clock.
 */
export interface RolloutSpan {
  readonly rollout_id: string;
  readonly attempt_id: string;
  /** Orders the spans of a rollout. */
  readonly sequence_id: number;
  /** 32 hexadecimal digits. */
  readonly trace_id: string;
  /** 16 hexadecimal digits; once in an attempt. */
  readonly span_id: string;
  readonly parent_id: string | null;
  readonly name: string;
  readonly status: { readonly status_code: "UNSET" | "OK" | "ERROR"; readonly description?: string | null };
  readonly attributes: RolloutSpanAttributes;
  readonly events: readonly RolloutSpanEvent[];
  readonly links: readonly RolloutSpanLink[];
  readonly start_time: number | null;
  readonly end_time: number | null;
  readonly context: SpanContext | null;
  readonly parent: SpanContext | null;
  readonly resource: { readonly attributes: RolloutSpanAttributes; readonly schema_url: string };
}

export type RolloutSpanAttributes = Readonly<Record<string, unknown>>;

export interface RolloutSpanEvent {
  readonly name: string;
  readonly attributes: RolloutSpanAttributes;
  readonly timestamp?: number | null;
}

export interface RolloutSpanLink {
  readonly context: SpanContext;
  readonly attributes?: RolloutSpanAttributes | null;
}

export interface SpanContext {
  readonly trace_id: string;
  readonly span_id: string;
  readonly is_remote: boolean;
  readonly trace_state: Readonly<Record<string, string>>;
}
