import type { SealedSegment } from "../core/audit.ts";
import type { ReadSegment } from "./read-segment.ts";

/**
 * What the columns beside a segment's bytes say otherwise than its lines, which are in order.
 * @param leaf Its place in the tree; `null` where that is not known any more.
 */
export function columnFault(read: ReadSegment, leaf: number | null): string | null {
  const { worker, epoch, first, count, previous, head } = read.segment;
  const claimed = {
    worker,
    epoch,
    first,
    count,
    previous,
    head,
    ...(leaf === null ? {} : { leaf: read.segment.leaf }),
  };
  return difference(claimed, { ...said(read), ...(leaf === null ? {} : { leaf }) }, "its columns say");
}

/** What the batch record says of a segment otherwise than its lines. */
export function sealFault(
  read: ReadSegment,
  { worker, epoch, first, count, previous, head }: SealedSegment,
): string | null {
  return difference({ worker, epoch, first, count, previous, head }, said(read), "its batch record says");
}

type Columns = Readonly<Record<string, string | number>>;

function said({ worker, epoch, first, lines, segment }: ReadSegment): Columns {
  const start = lines[0]?.record;
  const previous = start?.previous ?? segment.previous;
  const head = lines.at(-1)?.hash ?? previous;
  return { worker, epoch, first: start?.sequence ?? first, count: lines.length, previous, head };
}

function difference(claimed: Columns, actual: Columns, who: string): string | null {
  const names = Object.keys(actual).filter((name) => actual[name] !== claimed[name]);
  if (names.length === 0) return null;
  return `is not as ${who}: ${names.map((name) => `${name} is ${actual[name]}, not ${claimed[name]}`).join("; ")}`;
}
