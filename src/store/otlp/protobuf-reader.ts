import { type ExactInteger, integerOf } from "../exact-json.ts";

/** What is not the protobuf message that it should be. */
export class ProtobufError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ProtobufError";
  }
}

export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const nanosecondsASecond = 1_000_000_000;

/**
 * Reads protobuf, one field after the other, without building a tree in between. A message inside of another is read by moving `end`;
 * every read that would pass it throws a ProtobufError.
 */
export class ProtobufReader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #position = 0;
  #end: number;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.byteLength;
  }

  /** Whether the message that is being read has more. */
  get more(): boolean {
    return this.#position < this.#end;
  }

  /** Field number and wire type as they stand together: `field << 3 | wireType`. */
  tag(): number {
    const tag = this.varint();
    if (tag >>> 3 === 0 || tag > 0xffff_ffff) throw new ProtobufError(`field 0 at byte ${this.#position}`);
    return tag;
  }

  /** Enters a message; `leave` with what this returns goes back to the one around it. */
  enter(): number {
    const length = this.#length();
    const outer = this.#end;
    this.#end = this.#position + length;
    return outer;
  }

  leave(outer: number): void {
    this.#end = outer;
  }

  /** Exact up to 2^53, the nearest double above, and two's complement below zero, as int64 has it. */
  varint(): number {
    const bytes = this.#bytes;
    let byte = this.#byte();
    if (byte < 0x80) return byte;
    let low = byte & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return low;
    }
    let high = 0;
    for (let index = 0; index < 6; index++) {
      if (this.#position >= this.#end) break;
      byte = bytes[this.#position++] ?? 0;
      high += (byte & 0x7f) * 2 ** (index * 7);
      if (byte < 0x80) return high >= 2 ** 35 ? (high - 2 ** 36) * 2 ** 28 + low : high * 2 ** 28 + low;
    }
    throw new ProtobufError(`no end of a number at byte ${this.#position}`);
  }

  /** An int64, to its last digit. */
  integer(): number | ExactInteger {
    const start = this.#position;
    const value = this.varint();
    if (Number.isSafeInteger(value)) return value;
    let exact = 0n;
    for (let at = start; at < this.#position; at++) {
      exact |= BigInt((this.#bytes[at] ?? 0) & 0x7f) << BigInt(7 * (at - start));
    }
    return integerOf(String(BigInt.asIntN(64, exact)));
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  /** Nanoseconds as seconds, rounded once; what is too small for nanoseconds since 1970 is taken for seconds, and 0 for no time. */
  time(): number | null {
    const at = this.#take(8);
    const low = this.#view.getUint32(at, true);
    const nanoseconds = this.#view.getUint32(at + 4, true) * 2 ** 32 + low;
    if (nanoseconds <= 1e12) return nanoseconds === 0 ? null : nanoseconds;
    let seconds = Math.floor(nanoseconds / nanosecondsASecond);
    // The remainder is small, so that its low 32 bits are all of it.
    let rest = (low - Math.imul(seconds >>> 0, nanosecondsASecond)) | 0;
    if (rest < 0) {
      seconds--;
      rest += nanosecondsASecond;
    }
    return seconds + rest / nanosecondsASecond;
  }

  text(): string {
    const length = this.#length();
    const start = this.#take(length);
    return length === 0 ? "" : this.#bytes.toString("utf8", start, start + length);
  }

  /** Text of a kind that comes again and again, such as the keys of attributes: it is decoded once and then recognised by its bytes. */
  word(): string {
    const length = this.#length();
    const start = this.#take(length);
    return length === 0 ? "" : knownWord(this.#bytes, start, length);
  }

  /** Bytes as lower-case hexadecimal. */
  hex(): string {
    const length = this.#length();
    const start = this.#take(length);
    return this.#bytes.toString("hex", start, start + length);
  }

  /** Passes over a field that nobody asked for. */
  skip(tag: number): void {
    switch (tag & 7) {
      case wireTypes.varint:
        this.varint();
        break;
      case wireTypes.fixed64:
        this.#take(8);
        break;
      case wireTypes.bytes:
        this.#take(this.#length());
        break;
      case wireTypes.fixed32:
        this.#take(4);
        break;
      default:
        throw new ProtobufError(`wire type ${tag & 7} at byte ${this.#position}`);
    }
  }

  #length(): number {
    const length = this.varint();
    if (length < 0 || length > this.#end - this.#position) {
      throw new ProtobufError(`${length} bytes announced at byte ${this.#position}, and not there`);
    }
    return length;
  }

  #byte(): number {
    return this.#bytes[this.#take(1)] ?? 0;
  }

  #take(count: number): number {
    const start = this.#position;
    if (start + count > this.#end) throw new ProtobufError(`the message ends early, at byte ${start}`);
    this.#position = start + count;
    return start;
  }
}

const slotCount = 1024;
const wordBytesMax = 64;
const words: ({ readonly bytes: Buffer; readonly text: string } | undefined)[] = new Array(slotCount).fill(undefined);

function knownWord(bytes: Buffer, start: number, length: number): string {
  if (length > wordBytesMax) return bytes.toString("utf8", start, start + length);
  let hash = length;
  for (let at = start; at < start + length; at++) hash = (Math.imul(hash, 31) + (bytes[at] ?? 0)) | 0;
  const slot = hash & (slotCount - 1);
  const known = words[slot];
  if (known !== undefined && isAt(known.bytes, bytes, start, length)) return known.text;
  const text = bytes.toString("utf8", start, start + length);
  words[slot] = { bytes: Buffer.from(bytes.subarray(start, start + length)), text };
  return text;
}

function isAt(word: Buffer, bytes: Buffer, start: number, length: number): boolean {
  if (word.length !== length) return false;
  for (let index = 0; index < length; index++) if (word[index] !== bytes[start + index]) return false;
  return true;
}
