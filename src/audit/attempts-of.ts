import type { AgentSignal, AuditSegment, EpisodeAuditRecord } from "../core/audit.ts";
import { FaradayError } from "../core/errors.ts";
import { inOrder, placeOf, recordsOf } from "./audit-records.ts";

type RecordOf<Kind extends EpisodeAuditRecord["kind"]> = Extract<EpisodeAuditRecord, { kind: Kind }>;

/** What one recorder wrote down of one attempt at an episode. */
export interface RecordedAttempt {
  readonly worker: number;
  readonly epoch: number;
  readonly start: RecordOf<"start">;
  readonly syscalls: RecordedSyscall[];
  readonly signals: AgentSignal[];
  /** Missing where the recorder stopped in the middle. */
  end?: RecordOf<"end">;
  lastSequence: number;
}

export interface RecordedSyscall {
  readonly intent: RecordOf<"intent">;
  outcome?: RecordOf<"outcome">;
}

/**
 * The attempts in segments of any order, ordered by worker, epoch and start. Episodes of one recorder may interleave.
 * @throws {FaradayError} where a record does not follow from those before it.
 */
export function attemptsOf(segments: readonly AuditSegment[]): readonly RecordedAttempt[] {
  const attempts: RecordedAttempt[] = [];
  const open = new Map<string, RecordedAttempt>();
  for (const segment of inOrder(segments)) {
    for (const record of recordsOf(segment)) {
      if (!("episode" in record)) continue;
      const key = `${segment.worker} ${segment.epoch} ${record.episode}`;
      if (record.kind === "start") {
        const attempt = begin(segment, record);
        open.set(key, attempt);
        attempts.push(attempt);
        continue;
      }
      const attempt = open.get(key);
      if (attempt === undefined) throw outOfPlace(segment, record);
      append(attempt, record, segment);
      if (record.kind === "end") open.delete(key);
    }
  }
  return attempts;
}

function begin(segment: AuditSegment, start: RecordOf<"start">): RecordedAttempt {
  return {
    worker: segment.worker,
    epoch: segment.epoch,
    start,
    syscalls: [],
    signals: [],
    lastSequence: start.sequence,
  };
}

function append(
  attempt: RecordedAttempt,
  record: Exclude<EpisodeAuditRecord, { kind: "start" }>,
  segment: AuditSegment,
): void {
  attempt.lastSequence = record.sequence;
  if (record.kind === "intent") attempt.syscalls.push({ intent: record });
  else if (record.kind === "end") attempt.end = record;
  else if (record.kind === "signal") attempt.signals.push(record.signal);
  else {
    const syscall = attempt.syscalls.at(-1);
    if (syscall?.intent.step !== record.step || syscall.outcome !== undefined) throw outOfPlace(segment, record);
    syscall.outcome = record;
  }
}

function outOfPlace(segment: AuditSegment, record: EpisodeAuditRecord): FaradayError {
  const before = record.kind === "outcome" ? "intent" : "start";
  return new FaradayError(
    `${placeOf(segment)}: record ${record.sequence} (${record.kind} of episode ${record.episode}) has no ${before} before it`,
  );
}
