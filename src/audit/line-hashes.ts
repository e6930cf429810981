import { hash } from "node:crypto";
import { atOnce, type Steps } from "../core/steps.ts";

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

/** The array, as large as the bytes, is not kept with them. */
type KnownHashes = Omit<LineHashes, "array">;

const known = new WeakMap<Uint8Array, KnownHashes>();

/** As {@link lineHashes}, once for the same bytes: a sealed segment is hashed into the tree, and again where it is stored. Nobody changes them. */
export function knownHashes(bytes: Uint8Array): KnownHashes {
  return known.get(bytes) ?? atOnce(hashing(bytes));
}

/** Finds what {@link knownHashes} then gives. */
export function* hashing(bytes: Uint8Array): Steps<KnownHashes> {
  const { hashes, starts, complete } = yield* hashSteps(bytes);
  const found = { hashes, starts, complete };
  known.set(bytes, found);
  return found;
}

const [lineFeed, comma, opening, closing] = [0x0a, 0x2c, 0x5b, 0x5d];
/** Lines of a step: some 2 ms where they are short. */
const stepLines = 2_000;

/**
 * {@link recordHash} of every line in some bytes, without making text of them. The zero byte that RFC 6962 section 2.1 puts
 * before a leaf takes the place of the line feed before the line, and a comma its place in turn.
 */
export function lineHashes(bytes: Uint8Array): LineHashes {
  return atOnce(hashSteps(bytes));
}

function* hashSteps(bytes: Uint8Array): Steps<LineHashes> {
  const complete = bytes.length === 0 || bytes.at(-1) === lineFeed;
  const length = bytes.length + (complete ? 1 : 2);
  const copy = Buffer.allocUnsafe(length);
  copy.set(bytes, 1);
  if (!complete) copy[length - 1] = lineFeed;
  const hashes: string[] = [];
  const starts: number[] = [];
  let start = 0;
  for (let end = copy.indexOf(lineFeed, 1); end >= 0; end = copy.indexOf(lineFeed, start + 1)) {
    if (hashes.length > 0 && hashes.length % stepLines === 0) yield;
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
