import { keptDigits } from "../../audit/kept-link.ts";
import { knownLinks, linkTo } from "../../audit/line-links.ts";
import { recordHash } from "../../core/audit.ts";
import { packed, unpacked } from "./zstd.ts";

/** How the bytes of a column begin: what follows is zstd of lines without their links. Anything else is plain lines, as in version 2. */
const linkless = 1;
/** Stands for a link, before its first digits; canonical JSON has no control characters. */
const mark = "\u0002";
const markByte = mark.charCodeAt(0);

/**
 * An audit segment for its column. The hash in each record that names the one before it does not compress, and is two thirds of what is
 * left: it is taken out, but for its first digits, where it follows from the line before, and {@link unpackSegment} puts it back. What comes back
 * is byte for byte what was given; bytes for which that would not hold are kept whole.
 */
export function packSegment(bytes: Uint8Array): Uint8Array {
  const stripped = withoutLinks(bytes);
  if (stripped === null) return bytes;
  const zstd = packed(stripped);
  const column = new Uint8Array(zstd.length + 1);
  column[0] = linkless;
  column.set(zstd, 1);
  return column;
}

/** @returns Nothing where a column was tampered with so that it cannot be unpacked: what is missing, verification tells. */
export function unpackSegment(column: Uint8Array): Uint8Array {
  if (column[0] !== linkless) return new Uint8Array(column);
  try {
    return withLinks(unpacked(column.subarray(1)));
  } catch {
    return new Uint8Array();
  }
}

function withoutLinks(bytes: Uint8Array): Uint8Array | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.at(-1) !== lineFeed || buffer.includes(mark)) return null;
  const stripped = Buffer.allocUnsafe(buffer.length);
  let [length, start] = [0, 0];
  for (const link of knownLinks(bytes)) {
    if (link < 0) continue;
    const digits = link + linkStart.length;
    length += buffer.copy(stripped, length, start, digits);
    stripped[length++] = markByte;
    length += buffer.copy(stripped, length, digits, digits + keptDigits);
    start = digits + linkDigits;
  }
  length += buffer.copy(stripped, length, start);
  return stripped.subarray(0, length);
}

/** The first line whose hash is not what was kept of it is named by a link that is not its hash; the links after that follow from the lines. */
function withLinks(stripped: Uint8Array): Uint8Array {
  let previous = "";
  let isChanged = false;
  const lines = Buffer.from(stripped.buffer, stripped.byteOffset, stripped.byteLength).toString().split("\n");
  const whole = lines.map((line) => {
    const text = line.replace(marked, (_, kept: string) => {
      if (isChanged || previous.startsWith(kept)) return linkTo(previous);
      isChanged = true;
      return linkTo(kept + previous.slice(keptDigits));
    });
    previous = recordHash(text);
    return text;
  });
  return new Uint8Array(Buffer.from(whole.join("\n")));
}

const linkDigits = 64;
const linkStart = linkTo("").slice(0, -1);
const lineFeed = 0x0a;
const marked = new RegExp(linkTo(`${mark}([0-9a-f]{${keptDigits}})`));
