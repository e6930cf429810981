import type { AuditRecord, EpisodeAuditRecord, SealedSegment } from "../core/audit.ts";
import { AttemptBuilder, countsOf, type RecordedAttempt } from "./attempts-of.ts";
import type { AuditFinding, FindingCode } from "./audit-finding.ts";
import { type ChainCheck, checkChain, type RecorderState, recorderStart } from "./check-chain.ts";
import { columnFault, sealFault } from "./check-columns.ts";
import { matchSegments } from "./match-segments.ts";
import type { ReadSegment } from "./read-segment.ts";
import { TreeWalk } from "./tree-walk.ts";
import type { RecordedBatch, RecordedUpdate, VerifyOptions } from "./verify-log.ts";

type BatchAuditRecord = Extract<AuditRecord, { kind: "batch" }>;

/** Goes through a log batch by batch: the workers' segments and the main process's own, which says what they were. */
export class LogWalk {
  readonly tree: TreeWalk;
  readonly batches: RecordedBatch[] = [];
  readonly updates: RecordedUpdate[] = [];
  attempts = 0;
  readonly #options: VerifyOptions & { readonly onFinding: (finding: AuditFinding) => void };
  readonly #recorders = new Map<string, RecorderState>();
  /** Recorders that something was wrong with: their episodes have holes that were reported already. */
  readonly #disturbed = new Set<string>();
  readonly #builder: AttemptBuilder;
  #batch: RecordedBatch | null = null;

  constructor(
    options: VerifyOptions & {
      readonly sizes: readonly number[];
      readonly onFinding: (finding: AuditFinding) => void;
    },
  ) {
    this.#options = options;
    this.tree = new TreeWalk(options.sizes);
    this.#builder = new AttemptBuilder({ onEnd: (attempt) => this.#attempt(attempt) });
  }

  /** @param segments Those of a batch, the main process's own last. */
  batch(segments: readonly ReadSegment[]): void {
    const own = segments.at(-1) as ReadSegment;
    const workers = segments.slice(0, -1);
    const record = batchRecordOf(own);
    const sizes = segments.map(({ lines }) => lines.length);
    this.#batch = record === null ? null : asBatch(record, this.tree.size + sum(sizes));
    // The own segment first: only where nothing is wrong with it is its word on the others taken.
    const ownCheck = this.#chain(own, null, own.segment.leaf);
    const trusted = ownCheck.findings.length === 0 ? record : null;
    if (record === null && ownCheck.findings.length === 0) this.#noBatch(own);
    this.#workers(workers, trusted);
    this.#place(own, ownCheck, null);
    if (this.#batch !== null) {
      this.#batch = { ...this.#batch, size: this.tree.size };
      this.batches.push(this.#batch);
    }
    for (const update of updatesOf(own)) this.updates.push({ ...update, size: this.tree.size });
    this.tree.end({ batch: this.#batch === null ? null : placeOf(this.#batch) });
    for (const read of [...workers, own]) this.#episodes(read);
  }

  /** @param segments What is left behind the last batch record. */
  end(segments: readonly ReadSegment[]): void {
    this.#batch = null;
    if (segments.length > 0) {
      const { index, worker, epoch, first } = segments[0] as ReadSegment;
      this.#found({
        code: "batch-missing",
        message: `${segments.length} segments from the one of worker ${worker}, epoch ${epoch} on are in no batch record: the main process's own is missing`,
        ...{ worker, epoch, sequence: first, segment: index, leaf: this.tree.size },
      });
      this.#workers(segments, null);
      for (const read of segments) this.#episodes(read);
    }
    this.#builder.finish();
  }

  /** Follows the segments of workers, in the order that the batch record has them where that is known. */
  #workers(segments: readonly ReadSegment[], record: BatchAuditRecord | null): void {
    if (record === null) {
      for (const read of segments) this.#segment(read, null);
      return;
    }
    const { pairs, unlisted, moved } = matchSegments(segments, record.segments);
    if (moved !== null) this.#fault("segment-order", moved, "is not in its place among those of its batch");
    for (const { sealed, read } of pairs) {
      if (read === null) this.#segmentMissing(sealed);
      else this.#segment(read, sealed);
    }
    for (const read of unlisted) this.#unlisted(read);
  }

  #segment(read: ReadSegment, sealed: SealedSegment | null): void {
    this.#place(read, this.#chain(read, sealed, this.tree.size), sealed);
  }

  #chain(read: ReadSegment, sealed: SealedSegment | null, leaf: number): ChainCheck {
    const key = keyOf(read);
    const check = checkChain(read, this.#recorders.get(key) ?? recorderStart, { sealed, leaf });
    this.#recorders.set(key, check.state);
    for (const finding of check.findings) this.#found(finding);
    if (check.findings.length > 0) this.#disturbed.add(key);
    return check;
  }

  /** Puts a segment into the tree, and compares what is said of it where its lines are in order. */
  #place(read: ReadSegment, check: ChainCheck, sealed: SealedSegment | null): void {
    const leaf = this.tree.size;
    if (check.findings.length === 0) {
      const disturbed = this.tree.isDisturbed(0, Number.POSITIVE_INFINITY);
      const column = columnFault(read, disturbed ? null : leaf);
      if (column !== null) this.#fault("segment-column", read, column);
      const seal = sealed === null ? null : sealFault(read, sealed);
      if (seal !== null) this.#fault("segment-sealed", read, seal);
    }
    if (check.leaves !== null) this.tree.append(check.leaves);
    else this.tree.lose(sealed?.count ?? read.segment.count);
  }

  #segmentMissing(sealed: SealedSegment): void {
    const { worker, epoch, first, count, head } = sealed;
    this.#found({
      code: "segment-missing",
      message: `worker ${worker}, epoch ${epoch}: the segment of ${count} records from ${first} on is missing`,
      ...{ worker, epoch, sequence: first, leaf: this.tree.size },
    });
    this.#disturbed.add(keyOf(sealed));
    this.#recorders.set(keyOf(sealed), { next: first + count, heads: [head] });
    this.tree.lose(count);
  }

  #unlisted(read: ReadSegment): void {
    const doubled = read.first < (this.#recorders.get(keyOf(read)) ?? recorderStart).next;
    const why = doubled ? "is there again" : "is in no batch record";
    this.#fault(doubled ? "segment-duplicated" : "segment-unlisted", read, why);
  }

  #noBatch(own: ReadSegment): void {
    this.#fault("batch-missing", own, "must hold one batch record");
  }

  /** Puts the records of episodes together. */
  #episodes(read: ReadSegment): void {
    const quiet = this.#disturbed.has(keyOf(read));
    for (const { record } of read.lines) {
      if (record === null || !("episode" in record)) continue;
      if (record.kind === "signal" && read.worker === 0) this.#options.onSignal?.(record, this.#batch);
      else this.#episodeRecord(read, record, quiet);
    }
  }

  #episodeRecord(read: ReadSegment, record: EpisodeAuditRecord, quiet: boolean): void {
    const fault = this.#builder.add(read, record);
    if (fault === null || quiet) return;
    const { worker, epoch, index, first, segment } = read;
    const leaf = segment.leaf + record.sequence - first;
    const place = { worker, epoch, sequence: record.sequence, leaf, segment: index, episode: record.episode };
    this.#found({ code: "episode-order", message: `worker ${worker}, epoch ${epoch}: ${fault}`, ...place });
  }

  #attempt(attempt: RecordedAttempt): void {
    this.attempts++;
    const { worker, epoch, end, start } = attempt;
    if (end !== undefined && !this.#disturbed.has(keyOf(attempt))) {
      const { steps, violations } = countsOf(attempt);
      if (end.steps !== steps || end.violations !== violations) {
        this.#found({
          code: "episode-counts",
          message: `episode ${start.episode} ends with ${end.steps} steps and ${end.violations} violations, recorded are ${steps} and ${violations}`,
          ...{ worker, epoch, sequence: end.sequence, episode: start.episode },
        });
      }
    }
    this.#options.onAttempt?.(attempt, this.#batch);
  }

  #fault(code: FindingCode, { worker, epoch, first, index }: ReadSegment, what: string): void {
    const message = `worker ${worker}, epoch ${epoch}: the segment from ${first} on ${what}`;
    this.#found({ code, message, worker, epoch, sequence: first, segment: index, leaf: this.tree.size });
  }

  #found(finding: AuditFinding): void {
    if (!harmlessToTree.has(finding.code)) this.tree.disturb(Math.min(finding.leaf ?? this.tree.size, this.tree.size));
    this.#options.onFinding({ ...finding, ...(this.#batch === null ? {} : placeOf(this.#batch)) });
  }
}

/** What a finding of these kinds says leaves the leaves of the tree as they are. */
const harmlessToTree: ReadonlySet<FindingCode> = new Set<FindingCode>([
  "segment-column",
  "episode-order",
  "episode-counts",
]);

/** The one batch record of a segment, or `null`. */
function batchRecordOf({ lines }: ReadSegment): BatchAuditRecord | null {
  const records = lines.flatMap(({ record }) => (record?.kind === "batch" ? record : []));
  return records.length === 1 ? (records[0] as BatchAuditRecord) : null;
}

function asBatch({ phase, iteration, weights, episodes, digest }: BatchAuditRecord, size: number): RecordedBatch {
  return { phase, iteration, weights, episodes, digest, size };
}

function updatesOf({ lines }: ReadSegment): { readonly iteration: number; readonly weights: string }[] {
  return lines.flatMap(({ record }) =>
    record?.kind === "update" ? { iteration: record.iteration, weights: record.weights } : [],
  );
}

function placeOf({ phase, iteration }: RecordedBatch): Pick<RecordedBatch, "phase" | "iteration"> {
  return { phase, iteration };
}

function keyOf({ worker, epoch }: { readonly worker: number; readonly epoch: number }): string {
  return `${worker} ${epoch}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
