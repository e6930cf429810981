import { asRecord } from "../../audit/read-segment.ts";
import type { AuditRecord } from "../../core/audit.ts";
import { canonicalJson } from "../../core/canonical-json.ts";
import type { Phase } from "../../core/episode.ts";
import type { LightningStore } from "../../store/lightning-store.ts";
import { recordedStatement } from "./recorded-episode.ts";

/** A record as a person reads it. */
export interface ShownRecord {
  /** Its place in the tree. */
  readonly leaf: number;
  /** `null` where its line cannot be read. */
  readonly record: AuditRecord | null;
  /** The batch that it was stored with, and when, in milliseconds since 1970: records have no clock. */
  readonly phase: Phase;
  readonly iteration: number;
  readonly storedAt: number;
  /** The syscall in a line, of an intent and of its outcome; several, where they are recorded together. */
  readonly statement: string | null;
}

const statementMax = 2_000;

/** The records of a run in the order of the tree, a segment at a time. Nothing is verified. */
export async function* readRecords(store: LightningStore, run: string): AsyncGenerator<ShownRecord> {
  const times = new Map(
    (await store.iterations(run)).map(({ phase, iteration, storedAt }) => [`${phase} ${iteration}`, storedAt]),
  );
  for await (const { leaf, bytes, phase, iteration } of store.auditTree(run)) {
    const statements = new Map<string, string>();
    const storedAt = times.get(`${phase} ${iteration}`) ?? 0;
    const lines = new TextDecoder().decode(bytes).trimEnd().split("\n");
    for (const [index, line] of lines.entries()) {
      const record = parse(line);
      const statement = record === null ? null : statementOf(record, statements);
      yield { leaf: leaf + index, record, phase, iteration, storedAt, statement };
    }
  }
}

function parse(line: string): AuditRecord | null {
  try {
    return asRecord(JSON.parse(line));
  } catch {
    return null;
  }
}

/** @param statements Those of the intents whose outcomes are to come. */
function statementOf(record: AuditRecord, statements: Map<string, string>): string | null {
  if (record.kind === "calls") return `${record.syscall} ${canonicalJson(record.args).slice(0, statementMax)}`;
  if (record.kind !== "intent" && record.kind !== "outcome") return null;
  const step = `${record.episode} ${record.step}`;
  if (record.kind === "intent") {
    const statement = recordedStatement(record);
    statements.set(step, statement);
    return statement;
  }
  const statement = statements.get(step) ?? null;
  statements.delete(step);
  return statement;
}
