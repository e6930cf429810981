import { atOnce, type Steps } from "../core/steps.ts";
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
  return known.get(bytes) ?? atOnce(linking(bytes));
}

/** Takes over what another thread has found in the same bytes: the links of {@link knownLinks}. */
export function takeLinks(bytes: Uint8Array, links: Int32Array): void {
  known.set(bytes, links);
}

/** Lines of a step: some 2 ms where they are short. */
const stepLines = 2_000;

/** Finds what {@link knownLinks} then gives. */
export function* linking(bytes: Uint8Array): Steps<Int32Array> {
  const { hashes, starts } = knownHashes(bytes);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const links = new Int32Array(Math.max(0, hashes.length - 1));
  for (let line = 1; line < hashes.length; line++) {
    if (line % stepLines === 0) yield;
    const end = starts[line + 1] ?? buffer.length;
    links[line - 1] = linkIn(buffer, hashes[line - 1] as string, { start: starts[line] as number, end });
  }
  known.set(bytes, links);
  return links;
}

function linkIn(
  buffer: Buffer,
  hash: string,
  { start, end }: { readonly start: number; readonly end: number },
): number {
  // From the end, and for the digits alone, it is found in less than half the time.
  const digits = buffer.lastIndexOf(hash, end - 1, "latin1");
  const link = digits - before.length;
  if (link >= start && before.compare(buffer, link, digits) === 0) return link;
  const other = buffer.subarray(start, end).indexOf(linkTo(hash), 0, "latin1");
  return other < 0 ? -1 : start + other;
}
