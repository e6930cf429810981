import { InputError } from "../core/errors.ts";

/** A float32 tensor: `values` in row-major order. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Most bytes of a header that is read, as the format's own reference does. */
const headerBytesMax = 100_000_000;

/** The safetensors form of float32 tensors: 8 bytes of header length, a JSON header, then the raw values. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { shape, values }] of tensors) {
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const json = JSON.stringify(header);
  const headerText = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8, " "));
  const bytes = new Uint8Array(8 + headerText.byteLength + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerText.byteLength), true);
  bytes.set(headerText, 8);
  let position = 8 + headerText.byteLength;
  for (const { values } of tensors.values()) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), position);
    position += values.byteLength;
  }
  return bytes;
}

/**
 * @param where Named in errors, e.g. the file's path.
 * @throws {InputError} when the bytes are not whole, or hold anything but float32.
 */
export function decodeSafetensors(bytes: Uint8Array, where: string): Map<string, Tensor> {
  const broken = (what: string) =>
    new InputError(`${where}: expected a safetensors file with float32 tensors, ${what}`);
  if (bytes.byteLength < 8) throw broken(`got only ${bytes.byteLength} bytes`);
  const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (headerBytes > headerBytesMax || 8 + headerBytes > bytes.byteLength) {
    throw broken(`got a header of ${headerBytes} bytes in a file of ${bytes.byteLength}`);
  }
  const header = parseHeader(bytes.subarray(8, 8 + headerBytes)) ?? fail(broken("got a header that is no JSON object"));
  const data = bytes.subarray(8 + headerBytes);
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    tensors.set(name, readTensor(entry, data) ?? fail(broken(`got a malformed entry for ${name}`)));
  }
  return tensors;
}

function parseHeader(bytes: Uint8Array): object | null {
  try {
    const header: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return typeof header === "object" ? header : null;
  } catch {
    return null;
  }
}

function readTensor(entry: unknown, data: Uint8Array): Tensor | null {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (dtype !== "F32" || !isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) return null;
  const [start, end] = offsets as [number, number];
  const size = shape.reduce((product, side) => product * side, 1);
  if (end > data.byteLength || end - start !== size * 4) return null;
  // A copy by set: a Buffer's own slice would share its memory, at any alignment.
  const values = new Float32Array(size);
  new Uint8Array(values.buffer).set(data.subarray(start, end));
  return { shape, values };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function fail(error: Error): never {
  throw error;
}
