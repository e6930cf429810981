import { createHash } from "node:crypto";

/**
 * JSON with sorted keys and no spaces, of anything: equal values give equal text, and no value makes it throw. What JSON
 * lacks is tagged: `{"$bigint":"1"}`, `{"$bytes":"<base64>"}`, `{"$number":"NaN"}`, `{"$undefined":true}`; text longer than
 * 65,536 characters is kept as its beginning, length and SHA-256.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

const depthMax = 64;
const textMax = 65_536;
const textKept = 2_000;

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case "string":
      return value.length <= textMax ? quoted(value) : shortened(value);
    case "number":
      return Number.isFinite(value) ? JSON.stringify(value) : `{"$number":"${value}"}`;
    case "boolean":
      return value ? "true" : "false";
    case "bigint":
      return `{"$bigint":"${value}"}`;
    case "object":
      return value === null ? "null" : writeObject(value, depth);
    default:
      return `{"$${typeof value}":true}`;
  }
}

function writeObject(value: object, depth: number): string {
  if (depth >= depthMax) return '{"$deep":true}';
  if (value instanceof Uint8Array) return `{"$bytes":"${Buffer.from(value).toString("base64")}"}`;
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(",")}]`;
  let fields = "";
  for (const key of sorted(Object.keys(value))) {
    const field = (value as Record<string, unknown>)[key];
    if (field === undefined) continue;
    fields += `${fields === "" ? "" : ","}${quoted(key)}:${write(field, depth + 1)}`;
  }
  return `{${fields}}`;
}

/** Sorted by UTF-16 units; most keys come in order, and looking costs less than sorting. */
function sorted(keys: string[]): string[] {
  for (let index = 1; index < keys.length; index++)
    if ((keys[index - 1] as string) > (keys[index] as string)) return keys.sort();
  return keys;
}

/** Printable ASCII without quotes and backslashes is what most text is, and needs no escapes. */
const plain = /^[ !#-[\]-~]*$/;
const plainMax = 200;

function quoted(text: string): string {
  return text.length <= plainMax && plain.test(text) ? `"${text}"` : JSON.stringify(text);
}

function shortened(text: string): string {
  const sha256 = createHash("sha256").update(text).digest("hex");
  return `{"$text":{"length":${text.length},"sha256":"${sha256}","start":${JSON.stringify(text.slice(0, textKept))}}}`;
}
