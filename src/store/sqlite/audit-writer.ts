import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { LoggedSegment } from "../../audit/audit-log.ts";
import { inOrder, placeOf } from "../../audit/audit-records.ts";
import type { AuditSegment } from "../../core/audit.ts";
import { FaradayError } from "../../core/errors.ts";
import type { BatchAudit, BatchRecord } from "../lightning-store.ts";
import { prepareInsert } from "./insert.ts";

/** Merges audit segments of all workers into the run's tree. Runs inside the caller's transaction. */
export class AuditWriter {
  readonly #insertSegment: StatementSync;
  readonly #insertCheckpoint: StatementSync;
  readonly #next: StatementSync;
  readonly #size: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insertSegment = prepareInsert(
      database,
      "audit_segments (run, worker, epoch, first, count, previous, head, leaf, batch, bytes)",
    );
    this.#insertCheckpoint = prepareInsert(database, "audit_checkpoints (run, size, root, note, phase, iteration)");
    this.#next = database.prepare(
      `SELECT first + count AS next FROM audit_segments WHERE run = ? AND worker = ? AND epoch = ?
       ORDER BY first DESC LIMIT 1`,
    );
    this.#size = database.prepare(
      "SELECT leaf + count AS size FROM audit_segments WHERE run = ? ORDER BY leaf DESC LIMIT 1",
    );
  }

  /**
   * @throws {FaradayError} where a recorder's sequence or the tree would have a gap or an overlap, or the signed tree is
   * not the one that the segments leave.
   */
  write(
    keys: { readonly run: number; readonly batch: number },
    batch: Pick<BatchRecord, "phase" | "iteration" | "audit">,
  ) {
    const { segments, checkpoint } = batch.audit;
    checkTree(Number(this.#size.get(keys.run)?.size ?? 0), batch.audit);
    for (const segment of inOrder(segments) as readonly LoggedSegment[]) {
      this.#checkFollows(keys.run, segment);
      const { worker, epoch, first, count, previous, head, leaf, bytes } = segment;
      this.#insertSegment.run(keys.run, worker, epoch, first, count, previous, head, leaf, keys.batch, bytes);
    }
    const { size, root, note } = checkpoint;
    this.#insertCheckpoint.run(keys.run, size, root, note, batch.phase, batch.iteration);
  }

  #checkFollows(run: number, segment: AuditSegment): void {
    const next = Number(this.#next.get(run, segment.worker, segment.epoch)?.next ?? 0);
    if (segment.first === next && segment.count > 0) return;
    const fault = segment.count <= 0 ? "is empty" : segment.first > next ? "leaves a gap" : "overlaps what is stored";
    throw new FaradayError(`${placeOf(segment)} ${fault}: expected records from ${next} on`);
  }
}

function checkTree(stored: number, { segments, checkpoint }: BatchAudit): void {
  let size = stored;
  for (const segment of segments) {
    if (segment.leaf !== size) {
      throw new FaradayError(`${placeOf(segment)} must be leaf ${size} of the run's tree, got ${segment.leaf}`);
    }
    size += segment.count;
  }
  if (checkpoint.size !== size) {
    throw new FaradayError(`the signed tree must have the ${size} records that are stored, got ${checkpoint.size}`);
  }
}
