/** Writes protobuf messages, as much as the tests need. */
export function message(number: number, ...parts: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(parts);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

export function text(number: number, value: string): Buffer {
  return message(number, Buffer.from(value));
}

export function integer(number: number, value: number): Buffer {
  return Buffer.concat([varint(number << 3), varint(value)]);
}

export function fixed64(number: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return Buffer.concat([varint((number << 3) | 1), bytes]);
}

export function double(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([varint((number << 3) | 1), bytes]);
}

/** Two's complement in 64 bits. */
export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 0x80n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}

/** A KeyValue of OTLP as field `number`, its AnyValue given. */
export function attribute(number: number, key: string, value: Buffer): Buffer {
  return message(number, text(1, key), message(2, value));
}
