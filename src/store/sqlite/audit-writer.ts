import type { DatabaseSync, StatementSync } from "node:sqlite";
import { inOrder, placeOf } from "../../audit/audit-records.ts";
import type { AuditSegment } from "../../core/audit.ts";
import { FaradayError } from "../../core/errors.ts";
import { prepareInsert } from "./insert.ts";

/** Merges audit segments of all workers. Runs inside the caller's transaction. */
export class AuditWriter {
  readonly #insert: StatementSync;
  readonly #next: StatementSync;

  constructor(database: DatabaseSync) {
    this.#insert = prepareInsert(
      database,
      "audit_segments (run, worker, epoch, first, count, previous, head, batch, bytes)",
    );
    this.#next = database.prepare(
      `SELECT first + count AS next FROM audit_segments WHERE run = ? AND worker = ? AND epoch = ?
       ORDER BY first DESC LIMIT 1`,
    );
  }

  /** @throws {FaradayError} where a recorder's sequence would have a gap or an overlap. */
  write(keys: { readonly run: number; readonly batch: number }, segments: readonly AuditSegment[]): void {
    for (const segment of inOrder(segments)) {
      this.#checkFollows(keys.run, segment);
      const { worker, epoch, first, count, previous, head, bytes } = segment;
      this.#insert.run(keys.run, worker, epoch, first, count, previous, head, keys.batch, bytes);
    }
  }

  #checkFollows(run: number, segment: AuditSegment): void {
    const next = Number(this.#next.get(run, segment.worker, segment.epoch)?.next ?? 0);
    if (segment.first === next && segment.count > 0) return;
    const fault = segment.count <= 0 ? "is empty" : segment.first > next ? "leaves a gap" : "overlaps what is stored";
    throw new FaradayError(`${placeOf(segment)} ${fault}: expected records from ${next} on`);
  }
}
