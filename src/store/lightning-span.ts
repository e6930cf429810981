export type LightningAttributes = Readonly<Record<string, unknown>>;

/** Something that happened within a span. */
export type LightningEvent = Readonly<Record<string, unknown>>;

export interface LightningSpanFields {
  /** 16 lower-case hexadecimal digits. */
  readonly spanId: string;
  /** 32 lower-case hexadecimal digits: one trace an agent. */
  readonly traceId: string;
  readonly name: string;
  readonly startTime: Date;
  readonly endTime?: Date | null;
  readonly attributes?: LightningAttributes;
  readonly events?: readonly LightningEvent[];
}

/** A {@link LightningSpan} as plain data; times are ISO 8601. */
export interface LightningSpanData {
  readonly spanId: string;
  readonly traceId: string;
  readonly name: string;
  readonly startTime: string;
  readonly endTime: string | null;
  readonly attributes: LightningAttributes;
  readonly events: readonly LightningEvent[];
}

/** A span in the form of Agent Lightning, with times. */
export class LightningSpan {
  readonly spanId: string;
  readonly traceId: string;
  readonly name: string;
  readonly startTime: Date;
  readonly endTime: Date | null;
  readonly attributes: LightningAttributes;
  readonly events: readonly LightningEvent[];

  constructor(fields: LightningSpanFields) {
    this.spanId = fields.spanId;
    this.traceId = fields.traceId;
    this.name = fields.name;
    this.startTime = fields.startTime;
    this.endTime = fields.endTime ?? null;
    this.attributes = fields.attributes ?? {};
    this.events = fields.events ?? [];
  }

  toDict(): LightningSpanData {
    return {
      spanId: this.spanId,
      traceId: this.traceId,
      name: this.name,
      startTime: this.startTime.toISOString(),
      endTime: this.endTime?.toISOString() ?? null,
      attributes: { ...this.attributes },
      events: [...this.events],
    };
  }

  toJson(): string {
    return JSON.stringify(this.toDict());
  }
}
