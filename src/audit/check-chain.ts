import { type AuditRecord, genesis, type SealedSegment } from "../core/audit.ts";
import type { AuditFinding, FindingCode } from "./audit-finding.ts";
import { isDerived } from "./kept-link.ts";
import type { Line, ReadSegment } from "./read-segment.ts";

/** Where a recorder is: the next sequence, and the hashes that may be named as those of its last record. */
export interface RecorderState {
  readonly next: number;
  readonly heads: readonly string[];
}

export const recorderStart: RecorderState = { next: 0, heads: [genesis] };

export interface ChainCheck {
  readonly findings: readonly AuditFinding[];
  /**
   * The leaf hashes of the segment as it was sealed, as far as they can be known: the hash of a record that was changed or taken
   * away is still named by the record after it. `null` where some are lost.
   */
  readonly leaves: readonly string[] | null;
  readonly state: RecorderState;
}

/**
 * Follows the chain of one segment: which of its records were changed, taken away, doubled or moved.
 *
 * Line `i` holds the hash of line `i − 1`, so that a change of a line shows in the link behind it, and a change of what it says of
 * the line before shows in both.
 * @param sealed What the batch record says of the segment, where that is known.
 * @param leaf Position of the segment's first record in the tree.
 */
export function checkChain(
  read: ReadSegment,
  state: RecorderState,
  { sealed, leaf }: { readonly sealed: SealedSegment | null; readonly leaf: number },
): ChainCheck {
  const walk = new ChainWalk(read, state, sealed, leaf);
  walk.lines();
  walk.end();
  return { findings: walk.findings, leaves: walk.lost ? null : walk.leaves, state: walk.state() };
}

class ChainWalk {
  readonly findings: AuditFinding[] = [];
  readonly leaves: string[] = [];
  lost = false;
  readonly #read: ReadSegment;
  readonly #lines: readonly Line[];
  readonly #sealed: SealedSegment | null;
  readonly #leaf: number;
  /** Sequence that comes next. */
  #expected: number;
  /** Hash of the record before in this segment; what it may be where there is none. */
  #before: string | readonly string[];
  /** Whether nothing is known to be wrong with the record before. */
  #sure = true;
  #doubled = false;
  /** How many lines before this one could not be read. */
  #unreadable = 0;
  /** Whether a line before was changed in a way that leaves nothing to check those behind it by. */
  #blind = false;
  /** Index of the last line that was taken as a record of its own, or -1. */
  #last = -1;

  constructor(read: ReadSegment, state: RecorderState, sealed: SealedSegment | null, leaf: number) {
    this.#read = read;
    this.#sealed = sealed;
    this.#leaf = leaf;
    this.#expected = state.next;
    this.#before = state.heads;
    this.#lines = this.#inSequence(this.#sealedLines(read.lines));
  }

  lines(): void {
    const count = this.#lines.length;
    for (let index = 0; index < count; index++) this.#check(index);
  }

  /** What the end of the segment says of its last records. */
  end(): void {
    const { segment, complete } = this.#read;
    const { first, count, head } = this.#sealed ?? segment;
    const missing = first + count - this.#expected;
    const last = this.#last < 0 ? undefined : (this.#lines[this.#last] as Line).hash;
    if (!complete) {
      this.#found("segment-bytes", Math.max(this.#expected - 1, 0), "the last line of the segment has no line feed");
      this.#sure = false;
    }
    if (missing > 0 && last !== head && (this.#sure || missing > 1)) {
      this.#missing(this.#expected, missing, head);
      this.#expected += missing;
    } else if (last !== undefined && this.#sure && !this.#blind && !this.#heads().includes(last)) {
      this.#changed(this.#last, `the head that its segment was sealed with is ${head}; one of both was changed`);
      this.leaves[this.leaves.length - 1] = head;
    }
  }

  state(): RecorderState {
    const hashes = [...this.#heads(), this.#lines[this.#last]?.hash, this.leaves.at(-1)];
    return { next: this.#expected, heads: hashes.filter((hash) => hash !== undefined) };
  }

  #check(index: number): void {
    const { record, hash } = this.#lines[index] as Line;
    if (record === null) {
      this.#bad(index, "record-unreadable", "is no record that can be read");
      this.#unreadable++;
    } else if (!this.#follows(index, record)) return;
    else if (record.worker !== this.#read.worker || record.epoch !== this.#read.epoch) {
      this.#bad(index, "record-place", `says it is of worker ${record.worker}, epoch ${record.epoch}`);
    } else {
      this.#doubled = false;
      this.#unreadable = 0;
      this.#pass(index, hash, hash);
    }
  }

  /** Whether a record is to be taken as the next; where it is not, or something before it is missing, that was said. */
  #follows(index: number, record: AuditRecord): boolean {
    const before = this.#before;
    const linked = typeof before === "string" ? before === record.previous : before.includes(record.previous);
    if (record.sequence === this.#expected) {
      if (linked || !this.#sure) return true;
      if (index > 0 && (this.#confirmed(index) || this.#endsDerived(index, record.previous))) {
        this.#changedBefore(index, record.previous);
        return true;
      }
    } else if (!linked || !this.#sure || this.#confirmed(index)) {
      // A line that was split counts as several that cannot be read.
      const split = this.#expected - record.sequence;
      if (split > 0 && split <= this.#unreadable) {
        this.lost = true;
        this.#expected = record.sequence;
        return true;
      }
      if (split > 0) {
        this.#double(index, record.sequence);
        return false;
      }
      // Behind a line that cannot be read, it may be that line that holds them.
      if (this.#sure) this.#missing(this.#expected, record.sequence - this.#expected, linked ? null : record.previous);
      else this.lost = true;
      this.#expected = record.sequence;
      return true;
    }
    this.#bad(
      index,
      "record-changed",
      linked
        ? `was changed: it says it is record ${record.sequence}`
        : `was changed: it names ${record.previous} as the record before it, which is ${typeof before === "string" ? before : before[0]}`,
    );
    return false;
  }

  /** @param leaf Hash of the record as it was sealed. */
  #pass(index: number, hash: string, leaf: string): void {
    this.leaves.push(leaf);
    this.#before = hash;
    this.#sure = true;
    this.#last = index;
    this.#expected++;
  }

  /** A record that something is wrong with, and that was another one when the record after it was made. */
  #bad(index: number, code: FindingCode, what: string): void {
    this.#found(code, this.#expected, `record ${this.#expected} ${what}`, index);
    const { hash } = this.#lines[index] as Line;
    this.#pass(index, hash, this.#claim(index) ?? hash);
    this.#sure = false;
  }

  #changedBefore(index: number, named: string): void {
    this.#blind = isDerived(named, this.#hashOf(index - 1));
    const blind = this.#blind ? "; what is behind it in its segment cannot be checked" : "";
    this.#changed(index - 1, `the record after it names ${named}${blind}`);
    this.leaves[this.leaves.length - 1] = named;
    if (this.#blind) this.lost = true;
  }

  #changed(index: number, why: string): void {
    const sequence = this.#expected - 1;
    const { hash } = this.#lines[index] as Line;
    this.#found("record-changed", sequence, `record ${sequence} was changed: its hash is ${hash}, ${why}`, index);
  }

  /** One finding for all that follow each other. */
  #double(index: number, sequence: number): void {
    if (!this.#doubled) {
      this.#found(
        "record-duplicated",
        sequence,
        `record ${sequence} is there again, where ${this.#expected} belongs`,
        index,
      );
    }
    this.#doubled = true;
  }

  /** @param only Hash of the record, where just one is missing and something names it. */
  #missing(sequence: number, count: number, only: string | null): void {
    const which = count === 1 ? `record ${sequence} is` : `records ${sequence} to ${sequence + count - 1} are`;
    this.#found("record-missing", sequence, `${which} missing`);
    if (count === 1 && only !== null) this.leaves.push(only);
    else this.lost = true;
  }

  /** Leaves out records behind the one that the segment was sealed with. */
  #sealedLines(lines: readonly Line[]): readonly Line[] {
    const { first, count, head } = this.#sealed ?? this.#read.segment;
    if (lines.length <= count || lines[count - 1]?.hash !== head) return lines;
    const sequence = first + count;
    this.#found("record-added", sequence, `record ${sequence} was added behind the last that was sealed`, count);
    return lines.slice(0, count);
  }

  /** Where the same records are there in another order, they are followed in theirs. */
  #inSequence(lines: readonly Line[]): readonly Line[] {
    const position = lines.findIndex(
      ({ record }, index) =>
        index > 0 && record !== null && record.sequence < (lines[index - 1]?.record?.sequence ?? 0),
    );
    if (position < 0 || lines.some(({ record }) => record === null)) return lines;
    const sorted = lines.toSorted((a, b) => sequenceOf(a) - sequenceOf(b));
    const first = sequenceOf(sorted[0] as Line);
    if (sorted.some((line, index) => sequenceOf(line) !== first + index)) return lines;
    const wrong = lines.findIndex((line, index) => sequenceOf(line) !== first + index);
    const got = sequenceOf(lines[wrong] as Line);
    this.#found("record-order", first + wrong, `record ${got} stands in the place of record ${first + wrong}`, wrong);
    return sorted;
  }

  /** The last line, with a link that was derived from a changed one, is not what the segment was sealed with either. */
  #endsDerived(index: number, named: string): boolean {
    return index === this.#lines.length - 1 && isDerived(named, this.#hashOf(index - 1));
  }

  #hashOf(index: number): string {
    return (this.#lines[index] as Line).hash;
  }

  /** Whether what follows a line names it as it is. */
  #confirmed(index: number): boolean {
    const { hash } = this.#lines[index] as Line;
    const next = this.#lines[index + 1];
    return next === undefined ? this.#heads().includes(hash) : next.record?.previous === hash;
  }

  /** What a line's hash was when the record after it was made. */
  #claim(index: number): string | undefined {
    const next = this.#lines[index + 1];
    return next === undefined ? (this.#sealed ?? this.#read.segment).head : next.record?.previous;
  }

  #heads(): readonly string[] {
    const { head } = this.#read.segment;
    return this.#sealed === null ? [head] : [this.#sealed.head, head];
  }

  #found(code: FindingCode, sequence: number, message: string, index?: number): void {
    const { worker, epoch, index: segment } = this.#read;
    const { first } = this.#sealed ?? this.#read;
    const record = index === undefined ? undefined : (this.#lines ?? this.#read.lines)[index]?.record;
    const episode = record && "episode" in record ? { episode: record.episode } : {};
    const where = `worker ${worker}, epoch ${epoch}: `;
    // Where records before the segment are missing, another one held them.
    const leaf = sequence < first ? {} : { leaf: this.#leaf + sequence - first };
    this.findings.push({ code, message: where + message, worker, epoch, sequence, ...leaf, segment, ...episode });
  }
}

function sequenceOf(line: Line): number {
  return line.record?.sequence ?? 0;
}
