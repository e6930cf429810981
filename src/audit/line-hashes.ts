import { hash } from "node:crypto";

/** The leaf hashes of consecutive lines. */
export interface LineHashes {
  /** One a line, 64 lower-case hexadecimal digits. */
  readonly hashes: string[];
  /** Where each line begins in the bytes. */
  readonly starts: number[];
  /** Whether the last line has its line feed. */
  readonly complete: boolean;
  /** The lines as the elements of one JSON array: parsed in one go, that is faster than line by line. */
  readonly array: Buffer;
}

const known = new WeakMap<Uint8Array, LineHashes>();

/** As {@link lineHashes}, once for the same bytes: a sealed segment is hashed into the tree, and again where it is stored. Nobody changes them. */
export function knownHashes(bytes: Uint8Array): LineHashes {
  const hashes = known.get(bytes) ?? lineHashes(bytes);
  known.set(bytes, hashes);
  return hashes;
}

const [lineFeed, comma, opening, closing] = [0x0a, 0x2c, 0x5b, 0x5d];

/**
 * {@link recordHash} of every line in some bytes, without making text of them. The zero byte that RFC 6962 section 2.1 puts
 * before a leaf takes the place of the line feed before the line, and a comma its place in turn.
 */
export function lineHashes(bytes: Uint8Array): LineHashes {
  const complete = bytes.length === 0 || bytes.at(-1) === lineFeed;
  const length = bytes.length + (complete ? 1 : 2);
  const copy = Buffer.allocUnsafe(length);
  copy.set(bytes, 1);
  if (!complete) copy[length - 1] = lineFeed;
  const hashes: string[] = [];
  const starts: number[] = [];
  let start = 0;
  for (let end = copy.indexOf(lineFeed, 1); end >= 0; end = copy.indexOf(lineFeed, start + 1)) {
    copy[start] = 0;
    hashes.push(hash("sha256", new Uint8Array(copy.buffer, copy.byteOffset + start, end - start), "hex"));
    copy[start] = comma;
    starts.push(start);
    start = end;
  }
  copy[0] = opening;
  copy[start] = start === 0 ? opening : closing;
  return { hashes, starts, complete, array: start === 0 ? Buffer.from("[]") : copy };
}
