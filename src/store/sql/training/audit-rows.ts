import type { LoggedSegment } from "../../../audit/audit-log.ts";
import { inOrder, placeOf } from "../../../audit/audit-records.ts";
import type { AuditSegment } from "../../../core/audit.ts";
import { FaradayError } from "../../../core/errors.ts";
import type { BatchAudit, BatchRecord, StoredCheckpoint, TreeSegment } from "../../lightning-store.ts";
import { firstOf, insertRows, type Operation, rowsOf } from "../operation.ts";
import { packSegment, unpackSegment } from "../segment-codec.ts";
import { statement } from "../statement.ts";

/**
 * Merges audit segments of all workers into the run's tree.
 * @throws {FaradayError} where a recorder's sequence or the tree would have a gap or an overlap, or the signed tree is
 * not the one that the segments leave.
 */
export function* writeAudit(
  keys: { readonly run: number; readonly batch: number },
  { phase, iteration, audit }: Pick<BatchRecord, "phase" | "iteration" | "audit">,
): Operation<void> {
  const { segments, checkpoint } = audit;
  checkTree((yield* firstOf(treeSize, { run: keys.run }))?.size ?? 0, audit);
  const ordered = inOrder(segments) as readonly LoggedSegment[];
  yield* checkFollow(keys.run, ordered);
  yield* insertRows({
    table: "audit_segments",
    columns: ["run", "worker", "epoch", "first", "count", "previous", "head", "leaf", "batch", "bytes"],
    rows: ordered.map((segment) => {
      const { worker, epoch, first, count, previous, head, leaf, bytes } = segment;
      return [keys.run, worker, epoch, first, count, previous, head, leaf, keys.batch, packSegment(bytes)];
    }),
  });
  const { size, root, note } = checkpoint;
  yield* insertRows({
    table: "audit_checkpoints",
    columns: ["run", "size", "root", "note", "phase", "iteration"],
    rows: [[keys.run, size, root, note, phase, iteration]],
  });
}

function* checkFollow(run: number, segments: readonly AuditSegment[]): Operation<void> {
  const ends = new Map<string, number>();
  for (const segment of segments) {
    const { worker, epoch, first, count } = segment;
    const recorder = `${worker} ${epoch}`;
    const next = ends.get(recorder) ?? (yield* firstOf(recorderEnd, { run, worker, epoch }))?.next ?? 0;
    ends.set(recorder, first + count);
    if (first === next && count > 0) continue;
    const fault = count <= 0 ? "is empty" : first > next ? "leaves a gap" : "overlaps what is stored";
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

export function* readAudit(run: number): Operation<readonly AuditSegment[]> {
  return (yield* rowsOf(selectSegments, { run })).map(segmentOf);
}

/** The segments of a run's tree from a leaf on; few of them, since each may be large. */
export function* readTree(run: number, leaf: number): Operation<readonly TreeSegment[]> {
  return (yield* rowsOf(selectTree, { run, leaf })).map(segmentOf);
}

/** A batch's segments, without the main process's. */
export function* readBatchSegments(batch: number): Operation<readonly AuditSegment[]> {
  return (yield* rowsOf(selectBatchSegments, { batch })).map(segmentOf);
}

export function* readCheckpoints(run: number): Operation<readonly StoredCheckpoint[]> {
  return (yield* rowsOf(selectCheckpoints, { run })).map((row) => ({ ...row }));
}

function segmentOf<Row extends { readonly bytes: Uint8Array }>(row: Row): Row {
  return { ...row, bytes: unpackSegment(row.bytes) };
}

const sealed = ["worker", "epoch", "first", "count", "previous", "head", "bytes"] as const;
/** Rows read at a time. */
const treeRows = 16;

const treeSize = statement<{ run: number }>()(({ db, given }) =>
  db
    .selectFrom("audit_segments")
    .select(({ eb }) => eb("leaf", "+", eb.ref("count")).as("size"))
    .where("run", "=", given.run)
    .orderBy("leaf", "desc")
    .limit(1),
);
const recorderEnd = statement<{ run: number; worker: number; epoch: number }>()(({ db, given }) =>
  db
    .selectFrom("audit_segments")
    .select(({ eb }) => eb("first", "+", eb.ref("count")).as("next"))
    .where("run", "=", given.run)
    .where("worker", "=", given.worker)
    .where("epoch", "=", given.epoch)
    .orderBy("first", "desc")
    .limit(1),
);
const selectSegments = statement<{ run: number }>()(({ db, given }) =>
  db
    .selectFrom("audit_segments")
    .select(sealed)
    .where("run", "=", given.run)
    .orderBy("worker")
    .orderBy("epoch")
    .orderBy("first"),
);
const selectTree = statement<{ run: number; leaf: number }>()(({ db, given }) =>
  db
    .selectFrom("audit_segments")
    .innerJoin("iterations", "iterations.key", "audit_segments.batch")
    .select([...sealed, "leaf", "phase", "iteration"])
    .where("audit_segments.run", "=", given.run)
    .where("leaf", ">=", given.leaf)
    .orderBy("leaf")
    .limit(treeRows),
);
const selectBatchSegments = statement<{ batch: number }>()(({ db, given }) =>
  db.selectFrom("audit_segments").select(sealed).where("batch", "=", given.batch).where("worker", "!=", 0),
);
const selectCheckpoints = statement<{ run: number }>()(({ db, given }) =>
  db
    .selectFrom("audit_checkpoints")
    .select(["size", "root", "note", "phase", "iteration"])
    .where("run", "=", given.run)
    .orderBy("size"),
);
