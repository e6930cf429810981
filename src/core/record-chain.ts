import { hash } from "node:crypto";
import { type AuditSegment, genesis } from "./audit.ts";

const lineFeed = 0x0a;
/** A larger buffer than that does not outlive its batch. */
const keptBytesMax = 8_000_000;

/**
 * The lines of one recorder, each linked to the one before it by {@link recordHash}. They are kept as the bytes that they are
 * hashed and stored as: every character is written once.
 */
export class RecordChain {
  readonly worker: number;
  readonly epoch: number;
  #sequence = 0;
  #previous = genesis;
  /** What was appended since the last seal; one byte stands before the first line. */
  #bytes = emptyLines();
  #length = 1;
  #first = 0;
  #firstPrevious = genesis;
  /** Of the lines that are not linked yet: where each begins, where its link goes, where it ends. */
  readonly #unlinked: number[] = [];

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
    const start = this.#length;
    this.#write(line);
    this.#link(start);
  }

  /**
   * Appends the line that is `before`, then {@link previous}, then `after`. It is written now; its link, and its hash, wait for the seal. Until then
   * nothing may be appended in the other way.
   */
  appendUnlinked(before: string, after: string): void {
    const start = this.#length;
    this.#write(before + genesis + after);
    const isAscii = this.#length - start === before.length + genesis.length + after.length;
    this.#unlinked.push(start, start + (isAscii ? before.length : Buffer.byteLength(before)), this.#length);
    this.#bytes[this.#length++] = lineFeed;
    this.#sequence++;
  }

  /** Hands over what was appended since the last seal, and keeps none of it. */
  seal(): AuditSegment {
    this.#linkAll();
    const segment = {
      worker: this.worker,
      epoch: this.epoch,
      first: this.#first,
      count: this.#sequence - this.#first,
      previous: this.#firstPrevious,
      head: this.#previous,
      bytes: new Uint8Array(this.#bytes.subarray(1, this.#length)),
    };
    if (this.#bytes.length > keptBytesMax) this.#bytes = emptyLines();
    this.#length = 1;
    this.#first = this.#sequence;
    this.#firstPrevious = this.#previous;
    return segment;
  }

  #write(text: string): void {
    this.#reserve(3 * text.length + 1);
    this.#length += this.#bytes.write(text, this.#length);
  }

  #linkAll(): void {
    const places = this.#unlinked;
    for (let index = 0; index < places.length; index += 3) {
      this.#bytes.write(this.#previous, places[index + 1] as number, "latin1");
      this.#hash(places[index] as number, places[index + 2] as number);
    }
    places.length = 0;
  }

  /** Ends the line from `start` on. */
  #link(start: number): void {
    this.#hash(start, this.#length);
    this.#bytes[this.#length++] = lineFeed;
    this.#sequence++;
  }

  /** The zero byte of a leaf stands in for the line feed before a line while it is hashed. */
  #hash(start: number, end: number): void {
    const bytes = this.#bytes;
    bytes[start - 1] = 0;
    this.#previous = hash("sha256", new Uint8Array(bytes.buffer, bytes.byteOffset + start - 1, end - start + 1), "hex");
    bytes[start - 1] = lineFeed;
  }

  #reserve(room: number): void {
    if (this.#length + room <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(2 * (this.#length + room));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

function emptyLines(): Buffer {
  return Buffer.alloc(4_096, lineFeed);
}
