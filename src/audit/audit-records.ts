import { type AuditRecord, type AuditSegment, episodeKinds } from "../core/audit.ts";
import { FaradayError, messageOf } from "../core/errors.ts";

/**
 * The records of a segment.
 * @throws {FaradayError} when the bytes are not what the segment says of them.
 */
export function recordsOf(segment: AuditSegment): readonly AuditRecord[] {
  const records = parseLines(segment);
  if (records.length !== segment.count) {
    throw new FaradayError(`${placeOf(segment)} must hold ${segment.count} records, got ${records.length}`);
  }
  return records.map((record, index) => checked(record, segment, segment.first + index));
}

export function placeOf(segment: AuditSegment): string {
  return `the audit segment of worker ${segment.worker}, epoch ${segment.epoch} from ${segment.first}`;
}

/** Orders segments by worker, epoch and sequence. */
export function inOrder(segments: readonly AuditSegment[]): readonly AuditSegment[] {
  return segments.toSorted((a, b) => a.worker - b.worker || a.epoch - b.epoch || a.first - b.first);
}

/** One array is parsed faster than its lines one by one; canonical JSON has no line feed inside a record. */
function parseLines(segment: AuditSegment): readonly unknown[] {
  const text = new TextDecoder().decode(segment.bytes).trimEnd();
  try {
    return JSON.parse(`[${text.replaceAll("\n", ",")}]`);
  } catch (error) {
    throw new FaradayError(`${placeOf(segment)} is not JSON, one record a line: ${messageOf(error)}`, { cause: error });
  }
}

const runKinds: readonly string[] = ["batch", "update"];

/** Checks what names and orders a record; the rest is the recorder's own typed output. */
function checked(value: unknown, segment: AuditSegment, sequence: number): AuditRecord {
  const record = value as AuditRecord | null;
  const isRecord =
    typeof record === "object" &&
    record !== null &&
    ("episode" in record
      ? typeof record.episode === "string" && episodeKinds.some((kind) => kind === record.kind)
      : runKinds.includes(record.kind));
  if (!isRecord || record.sequence !== sequence) {
    throw new FaradayError(
      `${placeOf(segment)} must hold record ${sequence} in its place, got ${JSON.stringify(value)?.slice(0, 200)}`,
    );
  }
  return record;
}
