import { recordsOf } from "../audit/audit-records.ts";
import type { AuditSegment } from "../core/audit.ts";
import { entriesOf, type FlightEntry, type Intent } from "./flight-entry.ts";

/**
 * Where the entries of a flight recorder come from: sealed audit segments, a live recorder (which is sealed at every look, see
 * {@link FlightLog.segments}), or entries as they are. Lists may grow at their end, and nowhere else.
 */
export type FlightSource = { readonly run?: string } & (
  | { readonly segments: Iterable<AuditSegment> }
  | { seal(): AuditSegment }
  | { readonly entries: Iterable<FlightEntry> }
);

/** An entry and the time at which it was first seen. */
export interface SeenEntry {
  readonly entry: FlightEntry;
  readonly seen: Date;
}

/** The entries of a source so far. Each record is read once, when it is first seen. */
export class FlightLog {
  readonly #source: FlightSource;
  readonly #now: () => Date;
  readonly #skipped: (error: unknown) => void;
  readonly #entries: SeenEntry[] = [];
  readonly #segments: AuditSegment[] = [];
  readonly #intents = new Map<string, Intent>();
  #taken = 0;

  constructor(source: FlightSource, options: { readonly now: () => Date; readonly skipped: (error: unknown) => void }) {
    this.#source = source;
    this.#now = options.now;
    this.#skipped = options.skipped;
  }

  /** Segments that were seen; of a live recorder, all that it ever gave, for whoever stores them. */
  get segments(): readonly AuditSegment[] {
    return this.#segments;
  }

  /** All entries so far, in their order. */
  read(): readonly SeenEntry[] {
    const seen = this.#now();
    if ("entries" in this.#source) this.#takeEntries(this.#source.entries, seen);
    else for (const segment of this.#newSegments()) this.#takeSegment(segment, seen);
    return this.#entries;
  }

  #takeEntries(entries: Iterable<FlightEntry>, seen: Date): void {
    for (const entry of suffix(entries, this.#taken)) {
      this.#taken++;
      this.#entries.push({ entry, seen });
    }
  }

  *#newSegments(): Generator<AuditSegment> {
    const source = this.#source;
    if ("seal" in source) {
      const segment = source.seal();
      if (segment.count > 0) yield segment;
    } else if ("segments" in source) {
      for (const segment of suffix(source.segments, this.#taken)) {
        this.#taken++;
        yield segment;
      }
    }
  }

  #takeSegment(segment: AuditSegment, seen: Date): void {
    this.#segments.push(segment);
    try {
      for (const record of recordsOf(segment)) {
        for (const entry of entriesOf(record, this.#intents)) this.#entries.push({ entry, seen });
      }
    } catch (error) {
      this.#skipped(error);
    }
  }
}

function* suffix<T>(items: Iterable<T>, start: number): Generator<T> {
  if (Array.isArray(items)) {
    for (let index = start; index < items.length; index++) yield items[index];
    return;
  }
  let index = 0;
  for (const item of items) if (index++ >= start) yield item;
}
