import { knownHashes } from "./line-hashes.ts";

/** What names a record's predecessor in its line. */
export const linkTo = (hash: string): string => `"previous":"${hash}"`;

const before = Buffer.from('"previous":"');
const known = new WeakMap<Uint8Array, Int32Array>();

/**
 * Where each line after the first names the one before it, in order: the offset of {@link linkTo} its hash in the bytes, -1 where the line does not
 * hold it. Found once for the same bytes, as {@link knownHashes}; nobody changes them.
 */
export function knownLinks(bytes: Uint8Array): Int32Array {
  const links = known.get(bytes) ?? findLinks(bytes);
  known.set(bytes, links);
  return links;
}

/** Takes over what another thread has found in the same bytes: the links of {@link knownLinks}. */
export function takeLinks(bytes: Uint8Array, links: Int32Array): void {
  known.set(bytes, links);
}

function findLinks(bytes: Uint8Array): Int32Array {
  const { hashes, starts } = knownHashes(bytes);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Int32Array.from({ length: Math.max(0, hashes.length - 1) }, (_, index) => {
    const hash = hashes[index] as string;
    const start = starts[index + 1] as number;
    const end = starts[index + 2] ?? buffer.length;
    // From the end, and for the digits alone, it is found in less than half the time.
    const digits = buffer.lastIndexOf(hash, end - 1, "latin1");
    const link = digits - before.length;
    if (link >= start && before.compare(buffer, link, digits) === 0) return link;
    const other = buffer.subarray(start, end).indexOf(linkTo(hash), 0, "latin1");
    return other < 0 ? -1 : start + other;
  });
}
