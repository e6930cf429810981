import { hash } from "node:crypto";

/** The leaf hashes of consecutive lines. */
export interface LineHashes {
  /** One a line, 64 lower-case hexadecimal digits. */
  readonly hashes: string[];
  /** Whether the last line has its line feed. */
  readonly complete: boolean;
}

const lineFeed = 0x0a;

/**
 * {@link recordHash} of every line in some bytes, without making text of them. The zero byte that RFC 6962 section 2.1 puts
 * before a leaf takes the place of the line feed before the line.
 */
export function lineHashes(bytes: Uint8Array): LineHashes {
  const copy = Buffer.allocUnsafe(bytes.length + 1);
  copy[0] = 0;
  copy.set(bytes, 1);
  const hashes: string[] = [];
  let start = 0;
  for (let end = copy.indexOf(lineFeed, 1); end >= 0; end = copy.indexOf(lineFeed, end + 1)) {
    hashes.push(hash("sha256", copy.subarray(start, end), "hex"));
    copy[end] = 0;
    start = end;
  }
  const complete = start === bytes.length;
  if (!complete) hashes.push(hash("sha256", copy.subarray(start), "hex"));
  return { hashes, complete };
}
