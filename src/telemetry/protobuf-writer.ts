const wire = { varint: 0, fixed64: 1, bytes: 2 } as const;

/** Writes protobuf into one buffer that grows. */
export class ProtobufWriter {
  #bytes = Buffer.allocUnsafe(16_384);
  #length = 0;

  /** What was written so far. The next write may change it. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A message inside of this one; its length is put before it once it is known. */
  message(field: number, write: () => void): void {
    this.#tag(field, wire.bytes);
    this.#reserve(1);
    const start = ++this.#length;
    write();
    const size = this.#length - start;
    const extra = lengthOfVarint(size) - 1;
    if (extra > 0) {
      this.#reserve(extra);
      this.#bytes.copyWithin(start + extra, start, this.#length);
    }
    this.#length = start - 1;
    this.#varint(size);
    this.#length += size;
  }

  text(field: number, text: string): void {
    const size = Buffer.byteLength(text);
    this.#tag(field, wire.bytes);
    this.#varint(size);
    this.#reserve(size);
    this.#length += this.#bytes.write(text, this.#length);
  }

  /** Bytes that are given as hexadecimal digits. */
  hex(field: number, digits: string): void {
    this.#tag(field, wire.bytes);
    this.#varint(digits.length / 2);
    this.#reserve(digits.length / 2);
    this.#length += this.#bytes.write(digits, this.#length, "hex");
  }

  /** A whole number, as int64 has it below zero. */
  integer(field: number, value: number): void {
    this.#tag(field, wire.varint);
    if (value >= 0) this.#varint(value);
    else this.#bigVarint(BigInt.asUintN(64, BigInt(value)));
  }

  double(field: number, value: number): void {
    this.#tag(field, wire.fixed64);
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  fixed64(field: number, value: bigint): void {
    this.#tag(field, wire.fixed64);
    this.#reserve(8);
    this.#length = this.#bytes.writeBigUInt64LE(value, this.#length);
  }

  #tag(field: number, type: number): void {
    this.#varint(field * 8 + type);
  }

  #varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
    this.#bytes[this.#length++] = rest;
  }

  #bigVarint(value: bigint): void {
    this.#reserve(10);
    let rest = value;
    for (; rest >= 0x80n; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
    this.#bytes[this.#length++] = Number(rest);
  }

  #reserve(room: number): void {
    if (this.#length + room <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(2 * (this.#length + room));
    grown.set(this.bytes);
    this.#bytes = grown;
  }
}

function lengthOfVarint(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}
