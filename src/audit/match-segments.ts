import type { SealedSegment } from "../core/audit.ts";
import type { ReadSegment } from "./read-segment.ts";

export interface SegmentMatch {
  /** What a batch record lists, in its order, with the stored segment that it is, or `null`. */
  readonly pairs: readonly { readonly sealed: SealedSegment; readonly read: ReadSegment | null }[];
  /** Stored segments that it does not list. */
  readonly unlisted: readonly ReadSegment[];
  /** The first stored segment that is not in the order of the list, or `null`. */
  readonly moved: ReadSegment | null;
}

/** Finds the stored segments that a batch record lists: by what they begin with, else by an overlap. */
export function matchSegments(segments: readonly ReadSegment[], listed: readonly SealedSegment[]): SegmentMatch {
  const left = new Set(segments);
  const found = new Map<SealedSegment, ReadSegment>();
  for (const matches of [begins, overlaps]) {
    for (const sealed of listed) {
      if (found.has(sealed)) continue;
      const read = left.values().find((candidate) => matches(candidate, sealed));
      if (read === undefined) continue;
      found.set(sealed, read);
      left.delete(read);
    }
  }
  const pairs = listed.map((sealed) => ({ sealed, read: found.get(sealed) ?? null }));
  const order = pairs.flatMap(({ read }) => read ?? []);
  const moved = order.find((read, index) => index > 0 && read.index < (order[index - 1] as ReadSegment).index) ?? null;
  return { pairs, unlisted: [...left], moved };
}

function begins(read: ReadSegment, sealed: SealedSegment): boolean {
  return sameRecorder(read, sealed) && read.first === sealed.first;
}

function overlaps(read: ReadSegment, sealed: SealedSegment): boolean {
  const end = read.first + Math.max(read.lines.length, read.segment.count);
  return sameRecorder(read, sealed) && read.first < sealed.first + sealed.count && end > sealed.first;
}

function sameRecorder(read: ReadSegment, sealed: SealedSegment): boolean {
  return read.worker === sealed.worker && read.epoch === sealed.epoch;
}
