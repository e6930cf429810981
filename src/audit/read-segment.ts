import type { AuditRecord, SealedSegment } from "../core/audit.ts";
import { phases } from "../core/episode.ts";
import type { LoggedSegment } from "./audit-log.ts";
import { lineHashes } from "./line-hashes.ts";

/** One line of a stored segment: its hash, and its record where it can be read. */
export interface Line {
  readonly hash: string;
  readonly record: AuditRecord | null;
}

/** A stored segment with nothing trusted. */
export interface ReadSegment {
  readonly segment: LoggedSegment;
  /** Position among the segments as they were given. */
  readonly index: number;
  /** Whose it is, and its first sequence: what its lines say, where they agree and the columns differ. */
  readonly worker: number;
  readonly epoch: number;
  readonly first: number;
  readonly lines: readonly Line[];
  /** Whether the last line has its line feed. */
  readonly complete: boolean;
}

/** Hashes and parses the lines of a segment. Never throws. */
export function readSegment(segment: LoggedSegment, index: number): ReadSegment {
  const { hashes, complete, array } = lineHashes(segment.bytes);
  const values = parseArray(array, hashes.length) ?? parseLines(segment.bytes);
  const lines = hashes.map((hash, line) => ({ hash, record: asRecord(values[line]) }));
  return { segment, index, lines, complete, ...identify(segment, lines) };
}

/** The columns' word, but where lines from the first to the head agree on another. */
function identify(
  segment: LoggedSegment,
  lines: readonly Line[],
): { readonly worker: number; readonly epoch: number; readonly first: number } {
  const [start, end] = [lines[0]?.record, lines.at(-1)?.record];
  const { worker, epoch, first } = segment;
  if (!start || !end || end.sequence - start.sequence !== lines.length - 1) return { worker, epoch, first };
  const agree = start.worker === end.worker && start.epoch === end.epoch && lines.at(-1)?.hash === segment.head;
  if (!agree)
    return { worker, epoch, first: start.worker === worker && start.epoch === epoch ? start.sequence : first };
  return { worker: start.worker, epoch: start.epoch, first: start.sequence };
}

function parseArray(array: Buffer, count: number): readonly unknown[] | null {
  try {
    const values = JSON.parse(array.toString("utf8")) as unknown[];
    return values.length === count ? values : null;
  } catch {
    return null;
  }
}

/** Lines that cannot be read leave a hole. */
function parseLines(bytes: Uint8Array): readonly unknown[] {
  return new TextDecoder().decode(bytes).split("\n").map(parseLine);
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** A record, where a value has all that is used of one. */
export function asRecord(value: unknown): AuditRecord | null {
  if (typeof value !== "object" || value === null) return null;
  const record = value as Record<string, unknown>;
  const { kind, worker, epoch, sequence, previous } = record;
  if (!isCount(worker) || !isCount(epoch) || !isCount(sequence) || typeof previous !== "string") return null;
  const check = typeof kind === "string" ? checks.get(kind) : undefined;
  return check?.(record) ? (value as AuditRecord) : null;
}

type Fields = Readonly<Record<string, unknown>>;

const checks: ReadonlyMap<string, (record: Fields) => boolean> = new Map<string, (record: Fields) => boolean>([
  ["start", ({ episode, task, weights }) => isText(episode) && isText(task) && isCount(weights)],
  ["intent", ({ episode, step }) => isText(episode) && isCount(step)],
  [
    "outcome",
    ({ episode, step, verdict, outcome, violations }) =>
      isText(episode) && isCount(step) && isText(verdict) && isText(outcome) && areObjects(violations),
  ],
  [
    "calls",
    ({ episode, step, syscall, args }) => isText(episode) && isCount(step) && isText(syscall) && Array.isArray(args),
  ],
  ["signal", ({ episode, step, signal }) => isText(episode) && isCount(step) && isText(signal)],
  [
    "end",
    ({ episode, outcome, steps, violations }) =>
      isText(episode) && isText(outcome) && isCount(steps) && isCount(violations),
  ],
  ["batch", isBatch],
  ["update", ({ iteration, weights }) => isCount(iteration) && isText(weights)],
]);

function isBatch({ phase, iteration, weights, episodes, digest, segments }: Fields): boolean {
  const counts = isCount(iteration) && isCount(weights) && isCount(episodes);
  const known = (phases as readonly unknown[]).includes(phase) && isText(digest);
  return counts && known && Array.isArray(segments) && segments.every(isSeal);
}

function isSeal(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { worker, epoch, first, count, previous, head } = value as Partial<SealedSegment>;
  return [worker, epoch, first, count].every(isCount) && isText(previous) && isText(head);
}

function areObjects(values: unknown): boolean {
  return Array.isArray(values) && values.every((value) => typeof value === "object" && value !== null);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
