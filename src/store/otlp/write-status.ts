const lengthDelimited = 2;

/** A google.rpc.Status that says why a request was refused, as OTLP wants it. */
export function writeStatus(message: string): Buffer {
  return field(2, Buffer.from(message));
}

/** An ExportTraceServiceResponse: empty where all went well, else how many spans were rejected, and why. */
export function writeTraceResponse(rejected: number, why: string): Buffer {
  if (rejected === 0) return Buffer.alloc(0);
  const count = Buffer.from([0x08, ...varint(rejected)]);
  return field(1, Buffer.concat([count, field(2, Buffer.from(why))]));
}

function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | lengthDelimited, ...varint(bytes.length)]), bytes]);
}

function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}
