import type { DatabaseSync } from "node:sqlite";
import type { AuditSegment } from "../../core/audit.ts";
import type { StoredCheckpoint, StoredIteration, StoredRun, StoredViolation, TreeSegment } from "../lightning-store.ts";
import type { Span } from "../span.ts";

// The tables are strict, and only this program writes them: what they hold has these types.

export function readRuns(database: DatabaseSync): readonly StoredRun[] {
  const rows = database
    .prepare("SELECT id, status, config, report, started_at AS startedAt, ended_at AS endedAt FROM runs ORDER BY key")
    .all() as unknown as readonly (StoredRun & { readonly config: string; readonly report: string | null })[];
  return rows.map((row) => ({ ...row, config: JSON.parse(row.config), report: JSON.parse(row.report ?? "null") }));
}

export function readIterations(database: DatabaseSync, run: number): readonly StoredIteration[] {
  const rows = database
    .prepare(
      "SELECT phase, iteration, weights, episodes, metrics, stored_at AS storedAt FROM iterations WHERE run = ? ORDER BY key",
    )
    .all(run) as unknown as readonly (Omit<StoredIteration, "metrics"> & { readonly metrics: string })[];
  return rows.map((row) => ({ ...row, metrics: JSON.parse(row.metrics) }));
}

export function readViolations(database: DatabaseSync, run: number, limit: number): readonly StoredViolation[] {
  const rows = database
    .prepare(
      `SELECT episode, task, phase, iteration, rollouts.weights, step, statement, policy, rule, severity, type, blocked,
         penalty
       FROM violations
       JOIN rollouts ON rollouts.key = violations.rollout
       JOIN iterations ON iterations.key = rollouts.batch
       WHERE rollouts.run = ? ORDER BY violations.key LIMIT ?`,
    )
    .all(run, limit) as unknown as readonly (Omit<StoredViolation, "blocked"> & { readonly blocked: 0 | 1 })[];
  return rows.map((row) => ({ ...row, blocked: row.blocked === 1 }));
}

export function readAudit(database: DatabaseSync, run: number): readonly AuditSegment[] {
  const rows = database
    .prepare(
      "SELECT worker, epoch, first, count, previous, head, bytes FROM audit_segments WHERE run = ? ORDER BY worker, epoch, first",
    )
    .all(run) as unknown as readonly AuditSegment[];
  return rows.map((row) => ({ ...row }));
}

/** A few rows are read at a time; the statement stays open until the last. */
export function* readAuditTree(database: DatabaseSync, run: number): Generator<TreeSegment> {
  const rows = database
    .prepare(
      `SELECT worker, epoch, first, count, previous, head, leaf, bytes, phase, iteration FROM audit_segments
       JOIN iterations ON iterations.key = audit_segments.batch WHERE audit_segments.run = ? ORDER BY leaf`,
    )
    .iterate(run) as unknown as Iterable<TreeSegment>;
  for (const row of rows) yield { ...row };
}

export function readCheckpoints(database: DatabaseSync, run: number): readonly StoredCheckpoint[] {
  const rows = database
    .prepare("SELECT size, root, note, phase, iteration FROM audit_checkpoints WHERE run = ? ORDER BY size")
    .all(run) as unknown as readonly StoredCheckpoint[];
  return rows.map((row) => ({ ...row }));
}

export function countSpans(database: DatabaseSync, run: number): number {
  return Number(database.prepare("SELECT count(*) AS count FROM spans WHERE run = ?").get(run)?.count);
}

export function readSpans(database: DatabaseSync, run: number, episode: string | null): readonly Span[] {
  // Not `? IS NULL OR episode = ?`: that scans the spans of the whole run for those of one episode.
  const [where, values] = episode === null ? ["run = ?", [run]] : ["run = ? AND episode = ?", [run, episode]];
  const rows = database
    .prepare(
      `SELECT trace_id AS traceId, span_id AS spanId, parent_id AS parentId, name, status, episode, worker, epoch,
         start_sequence AS startSequence, end_sequence AS endSequence, attributes
       FROM spans WHERE ${where} ORDER BY worker, epoch, start_sequence, span_id`,
    )
    .all(...(values as (number | string)[])) as unknown as readonly (Omit<Span, "attributes"> & {
    readonly attributes: string;
  })[];
  return rows.map((row) => ({ ...row, attributes: JSON.parse(row.attributes) }));
}
