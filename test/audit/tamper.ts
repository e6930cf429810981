import type { LoggedSegment } from "../../src/audit/audit-log.ts";
import { type Signer, signCheckpoint } from "../../src/audit/checkpoint.ts";
import { CompactRange } from "../../src/audit/compact-range.ts";
import { lineHashes } from "../../src/audit/line-hashes.ts";
import { genesis, recordHash, type SealedSegment } from "../../src/core/audit.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import type { SampleLog } from "./sample-log.ts";

/** Changes the lines of one segment, and nothing beside them. */
export function editLines(log: SampleLog, segment: number, edit: (lines: string[]) => readonly string[]): SampleLog {
  const lines = edit(linesOf(log.segments[segment] as LoggedSegment));
  return withSegment(log, segment, { bytes: encode(lines) });
}

/** Changes one line. */
export function editLine(
  log: SampleLog,
  at: { segment: number; line: number },
  edit: (line: string) => string,
): SampleLog {
  return editLines(log, at.segment, (lines) => lines.with(at.line, edit(lines[at.line] as string)));
}

export function withSegment(log: SampleLog, index: number, changes: Partial<LoggedSegment>): SampleLog {
  return { ...log, segments: log.segments.with(index, { ...(log.segments[index] as LoggedSegment), ...changes }) };
}

export function linesOf({ bytes }: LoggedSegment): string[] {
  return new TextDecoder().decode(bytes).split("\n").slice(0, -1);
}

export function encode(lines: readonly string[]): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
}

type Entry = Record<string, unknown>;

/**
 * What an attacker does who can write the whole store: changes records, then makes sequences, chains, columns, batch records and
 * leaves fit again. Only the signatures are left.
 * @param edit Changes the records of all segments in place.
 */
export function rechain(log: SampleLog, edit: (records: Entry[][]) => void): SampleLog {
  const records = log.segments.map((segment) => linesOf(segment).map((line) => JSON.parse(line) as Entry));
  edit(records);
  const recorders = new Map<string, { next: number; head: string }>();
  const segments: LoggedSegment[] = [];
  let [leaf, seals]: [number, SealedSegment[]] = [0, []];
  log.segments.forEach(({ worker, epoch }, index) => {
    const state = recorders.get(`${worker} ${epoch}`) ?? { next: 0, head: genesis };
    const [first, previous] = [state.next, state.head];
    const lines = (records[index] as Entry[]).map((record) => {
      const sealed = record.kind === "batch" ? { segments: seals } : {};
      const line = canonicalJson({ ...record, ...sealed, sequence: state.next++, previous: state.head });
      state.head = recordHash(line);
      return line;
    });
    recorders.set(`${worker} ${epoch}`, state);
    const seal = { worker, epoch, first, count: lines.length, previous, head: state.head };
    segments.push({ ...seal, leaf, bytes: encode(lines) });
    leaf += lines.length;
    seals = worker === 0 ? [] : [...seals, seal];
  });
  return { ...log, segments };
}

/** Signs a log anew at the end of every batch. */
export function resign(log: SampleLog, signer: Signer, origin: string): SampleLog {
  const tree = new CompactRange();
  const checkpoints: string[] = [];
  for (const { bytes, worker } of log.segments) {
    for (const leaf of lineHashes(bytes).hashes) tree.append(leaf);
    if (worker === 0) checkpoints.push(signCheckpoint({ origin, size: tree.size, root: tree.root() }, signer).note);
  }
  return { ...log, checkpoints };
}

export function originOf(log: SampleLog): string {
  return (log.checkpoints[0] as string).split("\n")[0] as string;
}

/** Changes text in one line; that there is some is made sure of. */
export function replace(
  segment: number,
  line: number,
  from: string | RegExp,
  to: string,
): (log: SampleLog) => SampleLog {
  return (log) =>
    editLine(log, { segment, line }, (text) => {
      const changed = text.replace(from, to);
      if (changed === text) throw new Error(`nothing to change in ${text}`);
      return changed;
    });
}

/** Changes the places of two items. */
export function swap(one: number, two: number): <T>(items: readonly T[]) => T[] {
  return <T>(items: readonly T[]) => items.with(one, items[two] as T).with(two, items[one] as T);
}
