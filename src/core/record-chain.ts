import { type AuditSegment, genesis, recordHash } from "./audit.ts";

/** The lines of one recorder, each linked to the one before it by {@link recordHash}. */
export class RecordChain {
  readonly worker: number;
  readonly epoch: number;
  #sequence = 0;
  #previous = genesis;
  #lines: string[] = [];
  #first = 0;
  #firstPrevious = genesis;

  constructor(place: { readonly worker: number; readonly epoch: number }) {
    this.worker = place.worker;
    this.epoch = place.epoch;
  }

  /** Sequence of the next record: also how many were ever made. */
  get sequence(): number {
    return this.#sequence;
  }

  /** What the next record must name as the one before it. */
  get previous(): string {
    return this.#previous;
  }

  /** @param line Canonical JSON of a record that holds {@link sequence} and {@link previous}. */
  append(line: string): void {
    this.#lines.push(line);
    this.#sequence++;
    this.#previous = recordHash(line);
  }

  /** Hands over what was appended since the last seal, and keeps none of it. */
  seal(): AuditSegment {
    const lines = this.#lines;
    const segment = {
      worker: this.worker,
      epoch: this.epoch,
      first: this.#first,
      count: lines.length,
      previous: this.#firstPrevious,
      head: this.#previous,
      bytes: encoder.encode(lines.length === 0 ? "" : `${lines.join("\n")}\n`),
    };
    this.#lines = [];
    this.#first = this.#sequence;
    this.#firstPrevious = this.#previous;
    return segment;
  }
}

const encoder = new TextEncoder();
