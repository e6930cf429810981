import { isExactInteger } from "../exact-json.ts";

/**
 * Values of training runs as JSON: what JSON cannot say (typed arrays, numbers that are not finite, −0) becomes
 * `{"$faraday": [kind, text]}`, bytes as base64 in the order of a little-endian machine.
 */
export function toWire(value: unknown): string {
  return JSON.stringify(value, replace);
}

/** What {@link toWire} was given. */
export function fromWire(text: string): unknown {
  return JSON.parse(text, (_, value) => revive(value));
}

/** As {@link fromWire}, of what JSON.parse made already. */
export function fromParsed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromParsed);
  if (typeof value !== "object" || value === null) return value;
  if (isExactInteger(value)) return value;
  if (mark in value) return revive(value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fromParsed(each)]));
}

const mark = "$faraday";
const arrays = { Uint8Array, Int32Array, Uint32Array, Float32Array, Float64Array };

function replace(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === "number") {
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : marked("number", Object.is(value, -0) ? "-0" : String(value));
  }
  if (typeof value !== "object" || value === null) return value;
  // A Buffer has become something else by now.
  const given = typeof this === "object" && this !== null ? Reflect.get(this, key) : value;
  if (ArrayBuffer.isView(given)) return marked(kindOf(given), bytesOf(given).toString("base64"));
  // Somebody else's key of this name is no mark of ours.
  if (Object.hasOwn(value, mark)) return marked("object", toWire(Object.entries(value)));
  return value;
}

function marked(kind: string, text: string) {
  return { [mark]: [kind, text] };
}

function kindOf(view: ArrayBufferView): string {
  const kind = Object.entries(arrays).find(([, type]) => view instanceof type)?.[0];
  if (kind === undefined) throw new TypeError("a typed array of another kind cannot be sent");
  return kind;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** A mark that {@link toWire} would not have made stays as it is. */
function revive(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const marked: unknown = mark in value ? value[mark] : undefined;
  if (!Array.isArray(marked)) return value;
  const [kind, text] = marked as readonly unknown[];
  if (typeof kind !== "string" || typeof text !== "string") return value;
  if (kind === "number") return Number(text);
  if (kind === "object") return objectOf(text) ?? value;
  const type = Object.entries(arrays).find(([name]) => name === kind)?.[1];
  if (type === undefined) return value;
  const bytes = Buffer.from(text, "base64");
  const whole = bytes.length - (bytes.length % type.BYTES_PER_ELEMENT);
  // A copy of its own, since the pool's bytes need not be aligned.
  return new type(new Uint8Array(bytes.subarray(0, whole)).buffer);
}

/** `null` where the text holds no entries of an object. */
function objectOf(text: string): object | null {
  try {
    return Object.fromEntries(fromWire(text) as [string, unknown][]);
  } catch {
    return null;
  }
}
