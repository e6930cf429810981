import { type AgentSignal, type AuditSegment, type EpisodeAuditRecord, eachCall } from "../core/audit.ts";
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
 * The attempts in segments of any order, ordered by worker, epoch and start. Episodes of one recorder may interleave. What the main
 * process recorded belongs to no attempt.
 * @throws {FaradayError} where a record does not follow from those before it.
 */
export function attemptsOf(segments: readonly AuditSegment[]): readonly RecordedAttempt[] {
  const attempts: RecordedAttempt[] = [];
  const builder = new AttemptBuilder({ onStart: (attempt) => attempts.push(attempt) });
  for (const segment of inOrder(segments)) {
    for (const record of recordsOf(segment)) {
      if (!("episode" in record) || segment.worker === 0) continue;
      const fault = builder.add(segment, record);
      if (fault !== null) throw new FaradayError(`${placeOf(segment)}: ${fault}`);
    }
  }
  return attempts;
}

/** Puts the records of episodes together, one recorder's in their order. */
export class AttemptBuilder {
  readonly #open = new Map<string, RecordedAttempt>();
  /** The attempt of the last record: mostly that of the next too. */
  #last: RecordedAttempt | undefined;
  readonly #onStart: (attempt: RecordedAttempt) => void;
  readonly #onEnd: (attempt: RecordedAttempt) => void;

  constructor(listeners: {
    readonly onStart?: (attempt: RecordedAttempt) => void;
    /** Once an attempt has its end, or another attempt by the same recorder takes its place. */
    readonly onEnd?: (attempt: RecordedAttempt) => void;
  }) {
    this.#onStart = listeners.onStart ?? (() => {});
    this.#onEnd = listeners.onEnd ?? (() => {});
  }

  /** @returns What is wrong with the record's place among the others, or `null`. */
  add(
    { worker, epoch }: { readonly worker: number; readonly epoch: number },
    record: EpisodeAuditRecord,
  ): string | null {
    const last = this.#last;
    const same = last?.start.episode === record.episode && last.worker === worker && last.epoch === epoch;
    const attempt = same ? last : this.#open.get(keyOf(worker, epoch, record.episode));
    if (record.kind === "start") {
      if (attempt !== undefined) this.#end(attempt);
      this.#begin(begin(worker, epoch, record));
      return null;
    }
    if (attempt === undefined) return outOfPlace(record, "start");
    this.#last = attempt;
    const fault = append(attempt, record);
    if (record.kind === "end") this.#end(attempt);
    return fault;
  }

  #begin(attempt: RecordedAttempt): void {
    this.#open.set(keyOf(attempt.worker, attempt.epoch, attempt.start.episode), attempt);
    this.#last = attempt;
    this.#onStart(attempt);
  }

  #end(attempt: RecordedAttempt): void {
    this.#open.delete(keyOf(attempt.worker, attempt.epoch, attempt.start.episode));
    this.#last = undefined;
    this.#onEnd(attempt);
  }

  /** Nothing more will come: hands over the attempts without an end. */
  finish(): void {
    for (const attempt of this.#open.values()) this.#onEnd(attempt);
    this.#open.clear();
    this.#last = undefined;
  }
}

/** Outcomes recorded of an attempt, and the violations in them. */
export function countsOf(attempt: RecordedAttempt): { readonly steps: number; readonly violations: number } {
  let [steps, violations] = [0, 0];
  for (const { outcome } of attempt.syscalls) {
    if (outcome === undefined) continue;
    steps++;
    violations += outcome.violations.length;
  }
  return { steps, violations };
}

function keyOf(worker: number, epoch: number, episode: string): string {
  return `${worker} ${epoch} ${episode}`;
}

function begin(worker: number, epoch: number, start: RecordOf<"start">): RecordedAttempt {
  return { worker, epoch, start, syscalls: [], signals: [], lastSequence: start.sequence };
}

function append(attempt: RecordedAttempt, record: Exclude<EpisodeAuditRecord, { kind: "start" }>): string | null {
  attempt.lastSequence = record.sequence;
  if (record.kind === "calls") {
    // A log that was tampered with may hold more of them than a call takes arguments.
    for (const call of eachCall(record)) attempt.syscalls.push(call);
  } else if (record.kind === "intent") attempt.syscalls.push({ intent: record });
  else if (record.kind === "end") attempt.end = record;
  else if (record.kind === "signal") attempt.signals.push(record.signal);
  else {
    // The last one, but where syscalls were held: then several wait for their outcomes.
    const syscall = attempt.syscalls.findLast(({ intent, outcome }) => intent.step === record.step && !outcome);
    if (syscall === undefined) return outOfPlace(record, "intent");
    syscall.outcome = record;
  }
  return null;
}

function outOfPlace(record: EpisodeAuditRecord, before: string): string {
  return `record ${record.sequence} (${record.kind} of episode ${record.episode}) has no ${before} before it`;
}
