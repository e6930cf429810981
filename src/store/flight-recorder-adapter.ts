import type { AuditSegment } from "../core/audit.ts";
import type { LightningStore } from "./lightning-store.ts";
import { spansOf } from "./spans-of.ts";

/** Where flight-recorder entries come from. */
export interface FlightRecorderSource {
  readonly run: string;
  /** Read anew at every import, so a growing source is followed. */
  readonly segments: Iterable<AuditSegment>;
  /** Whether violations become spans of their own; they do by default. */
  readonly emitViolations?: boolean;
}

/**
 * Turns flight-recorder entries into spans of the store. An episode becomes spans once its end is recorded. Ids
 * derive from what was recorded, so every span is stored exactly once, however often this is called and whoever
 * stored it first.
 */
export class FlightRecorderAdapter {
  readonly #source: FlightRecorderSource;

  constructor(source: FlightRecorderSource) {
    this.#source = source;
  }

  /** Resolves to the number of spans that the store did not have. The run must be in the store. */
  async importToStore(store: Pick<LightningStore, "importSpans">): Promise<number> {
    const { run, segments, emitViolations = true } = this.#source;
    return store.importSpans(run, spansOf(run, [...segments], { emitViolations, unfinished: false }));
  }
}
