import { recordsOf } from "../audit/audit-records.ts";
import type { AuditRecord, AuditSegment } from "../core/audit.ts";
import type { EpisodeSummary } from "../core/episode.ts";
import { messageOf } from "../core/errors.ts";
import type { RecordedTotals } from "../store/lightning-store.ts";
import type { FinishedBatch, RolledOut } from "./dispatch.ts";

/**
 * The batch with every episode quarantined whose counts do not agree: syscalls mediated (what the runner was answered) and
 * recorded (outcomes in the sealed bytes); violations mediated, recorded and penalised; what it cost, and what its recorded end
 * says. A quarantined episode earns nothing and teaches nothing; its cost stays. Episodes that were given up with their worker
 * have nothing to compare.
 */
export function reconcile(batch: FinishedBatch): FinishedBatch {
  const ledger = readLedger(batch.audit);
  return {
    ...batch,
    recorded: ledger.unreadable.size > 0 ? undefined : ledger.totals,
    episodes: batch.episodes.map((episode) => {
      const disagreement = episode.worker === 0 ? null : disagreementOf(episode, ledger);
      return disagreement === null ? episode : { ...episode, summary: quarantined(episode.summary, disagreement) };
    }),
  };
}

/** What was recorded of one episode by one worker. */
export interface RecordedCounts {
  intents: number;
  syscalls: number;
  violations: number;
  end: Extract<AuditRecord, { kind: "end" }> | null;
}

/**
 * How what came back of an episode differs from what was recorded of it, in words that say the counts; `null` where all agree.
 */
export function differenceOf(summary: Omit<EpisodeSummary, "oracle">, recorded: RecordedCounts): string | null {
  const { violations, stepCount, cost } = summary;
  const penalised = violations.filter(({ penalty }) => Number.isFinite(penalty) && penalty >= 0);
  const { end } = recorded;
  const syscalls = [stepCount, recorded.syscalls, recorded.intents, end?.steps];
  const broken = [violations.length, recorded.violations, penalised.length, end?.violations];
  const costs = [cost, penalised.reduce((sum, { penalty }) => sum + penalty, 0), end?.cost];
  if (!agree(syscalls)) {
    return `syscalls: ${stepCount} mediated, ${recorded.syscalls} recorded of ${recorded.intents} begun, ${ended(end?.steps)}`;
  }
  if (!agree(broken)) {
    return `violations: ${violations.length} mediated, ${recorded.violations} recorded, ${penalised.length} penalised, ${ended(end?.violations)}`;
  }
  if (!agree(costs)) return `cost: ${cost} returned, ${costs[1]} in penalties, ${ended(end?.cost)}`;
  if (end?.outcome === summary.outcome && end.reward === summary.reward) return null;
  return `outcome: ${summary.outcome} with reward ${summary.reward} returned, ${end?.outcome} with ${end?.reward} recorded`;
}

/** Counts by worker and episode, and why records of a worker could not be read. */
interface Ledger {
  readonly counts: ReadonlyMap<string, RecordedCounts>;
  readonly unreadable: ReadonlyMap<number, string>;
  readonly totals: RecordedTotals;
}

function readLedger(segments: readonly AuditSegment[]): Ledger {
  const counts = new Map<string, RecordedCounts>();
  const unreadable = new Map<number, string>();
  let attempts = 0;
  for (const segment of segments) {
    try {
      for (const record of recordsOf(segment)) {
        if (record.kind === "start") attempts++;
        count(counts, segment.worker, record);
      }
    } catch (error) {
      unreadable.set(segment.worker, messageOf(error));
    }
  }
  return { counts, unreadable, totals: { attempts, ...sumsOf(counts.values()) } };
}

function sumsOf(counts: Iterable<RecordedCounts>): Omit<RecordedTotals, "attempts"> {
  let [syscalls, violations] = [0, 0];
  for (const recorded of counts) {
    syscalls += recorded.intents;
    violations += recorded.violations;
  }
  return { syscalls, violations };
}

function count(counts: Map<string, RecordedCounts>, worker: number, record: AuditRecord): void {
  if (!("episode" in record)) return;
  const place = placeOf(worker, record.episode);
  const recorded = counts.get(place) ?? nothingRecorded();
  counts.set(place, recorded);
  countRecord(recorded, record);
}

export function nothingRecorded(): RecordedCounts {
  return { intents: 0, syscalls: 0, violations: 0, end: null };
}

export function countRecord(recorded: RecordedCounts, record: AuditRecord): void {
  if (record.kind === "calls") {
    recorded.intents += record.args.length;
    recorded.syscalls += record.args.length;
  } else if (record.kind === "intent") recorded.intents++;
  else if (record.kind === "end") recorded.end = record;
  else if (record.kind === "outcome") {
    recorded.syscalls++;
    recorded.violations += record.violations.length;
  }
}

function disagreementOf({ summary, worker }: RolledOut, { counts, unreadable }: Ledger): string | null {
  const recorded = counts.get(placeOf(worker, summary.key.id));
  if (recorded !== undefined) return differenceOf(summary, recorded);
  const reason = unreadable.get(worker);
  return reason === undefined
    ? `syscalls: ${summary.stepCount} mediated, none recorded: worker ${worker} has no record of the episode`
    : `its records cannot be read: ${reason}`;
}

function placeOf(worker: number, episode: string): string {
  return `${worker} ${episode}`;
}

function quarantined(summary: EpisodeSummary, disagreement: string): EpisodeSummary {
  const { error } = summary;
  const before = error === undefined ? "" : `; it had failed before (${error.boundary}: ${error.message})`;
  const message = `mediated, recorded and penalised do not agree: ${disagreement}${before}`;
  return {
    ...summary,
    outcome: "quarantined",
    error: { boundary: "kernel", message },
    success: false,
    reward: 0,
    scalarReward: 0 - summary.cost,
  };
}

function ended(figure: number | undefined): string {
  return figure === undefined ? "no end recorded" : `${figure} at its recorded end`;
}

function agree(figures: readonly (number | undefined)[]): boolean {
  return figures.every((figure) => figure === figures[0]);
}
