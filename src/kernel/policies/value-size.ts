/**
 * Size of plain data in bytes: strings and keys in UTF-8 with their quotes, byte arrays as they are, and everything else as JSON
 * writes it, without escapes.
 */
export function sizeOf(value: unknown): number {
  switch (typeof value) {
    case "undefined":
      return 0;
    case "string":
      return Buffer.byteLength(value) + 2;
    case "object":
      return value === null ? 4 : sizeOfObject(value);
    default:
      return String(value).length;
  }
}

function sizeOfObject(value: object): number {
  if (value instanceof Uint8Array) return value.length;
  let size = 2;
  if (Array.isArray(value)) {
    for (const item of value) size += sizeOf(item) + 1;
    return size;
  }
  for (const [key, field] of Object.entries(value)) size += Buffer.byteLength(key) + 4 + sizeOf(field);
  return size;
}
