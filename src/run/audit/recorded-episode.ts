import type { RecordedAttempt, RecordedSyscall } from "../../audit/attempts-of.ts";
import type { Syscall, Violation } from "../../core/syscall.ts";
import { statementOf } from "../../runner/statement.ts";
import { countRecord, nothingRecorded, type RecordedCounts } from "../reconcile.ts";

/** What the records of one attempt say of its rows. */
export interface RecordedEpisode {
  readonly id: string;
  readonly worker: number;
  readonly epoch: number;
  /** Of its first record. */
  readonly sequence: number;
  readonly task: string;
  readonly seed: number;
  readonly weights: number;
  readonly policies: string;
  readonly counts: RecordedCounts;
  /** In the order of the steps. */
  readonly violations: readonly RecordedViolation[];
}

export interface RecordedViolation {
  readonly step: number;
  readonly statement: string;
  readonly violation: Violation;
}

export function recordedEpisode({ worker, epoch, start, syscalls, end }: RecordedAttempt): RecordedEpisode {
  const counts = nothingRecorded();
  for (const { intent, outcome } of syscalls) {
    countRecord(counts, intent);
    if (outcome !== undefined) countRecord(counts, outcome);
  }
  if (end !== undefined) countRecord(counts, end);
  const { episode: id, sequence, task, seed, weights, policies } = start;
  const violations = syscalls.flatMap(violationsOf).toSorted((one, other) => one.step - other.step);
  return { id, worker, epoch, sequence, task, seed, weights, policies, counts, violations };
}

function violationsOf(syscall: RecordedSyscall): RecordedViolation[] {
  const { step } = syscall.intent;
  if (syscall.outcome === undefined || syscall.outcome.violations.length === 0) return [];
  const statement = recordedStatement(syscall.intent);
  return syscall.outcome.violations.map((violation) => ({ step, statement, violation }));
}

/** The syscall in a line, as its record has it. Of a text that is too long for a record, its beginning is there. */
export function recordedStatement({ syscall, args }: RecordedSyscall["intent"]): string {
  const sql = asObject(args).sql;
  const start = asObject(asObject(sql).$text).start;
  const whole = typeof start === "string" ? { ...asObject(args), sql: start } : asObject(args);
  return statementOf({ syscall: String(syscall), args: whole } satisfies Syscall);
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
