import { recordsOf } from "../audit/audit-records.ts";
import { hashing } from "../audit/line-hashes.ts";
import { linking } from "../audit/line-links.ts";
import { type ScannedRecord, scanRecords } from "../audit/scan-records.ts";
import type { AuditRecord, AuditSegment } from "../core/audit.ts";
import type { EpisodeSummary } from "../core/episode.ts";
import { messageOf } from "../core/errors.ts";
import { atOnce, type Steps } from "../core/steps.ts";
import type { RecordedTotals } from "../store/lightning-store.ts";
import type { FinishedBatch, RolledOut } from "./dispatch.ts";

/**
 * The batch with every episode quarantined whose counts do not agree: syscalls mediated (what the runner was answered) and
 * recorded (outcomes in the sealed bytes); violations mediated, recorded and penalised; what it cost, and what its recorded end
 * says. A quarantined episode earns nothing and teaches nothing; its cost stays. Episodes that were given up with their worker
 * have nothing to compare.
 */
export function reconcile(batch: FinishedBatch): FinishedBatch {
  return atOnce(reconciling(batch));
}

/** Episodes of a step: some milliseconds. */
const stepEpisodes = 2_000;

/** As {@link reconcile}, in steps. */
export function* reconciling(batch: FinishedBatch): Steps<FinishedBatch> {
  const ledger = yield* readLedger(batch.audit);
  const episodes: RolledOut[] = [];
  for (const [index, episode] of batch.episodes.entries()) {
    if (index > 0 && index % stepEpisodes === 0) yield;
    const disagreement = episode.worker === 0 ? null : disagreementOf(episode, ledger);
    const summary = disagreement === null ? episode.summary : quarantined(episode.summary, disagreement);
    episodes.push(disagreement === null ? episode : { ...episode, summary });
  }
  return { ...batch, recorded: ledger.unreadable.size > 0 ? undefined : ledger.totals, episodes };
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

/** What one segment says, by episode. */
interface SegmentLedger {
  readonly counts: ReadonlyMap<string, RecordedCounts>;
  readonly attempts: number;
  /** Why it could not be read, or not to its end. */
  readonly fault: string | null;
}

const known = new WeakMap<AuditSegment, SegmentLedger>();

/**
 * Reads and hashes a segment as soon as it has come, which is needed of it later: a batch's segments all at once would keep the main thread from
 * giving workers their next tasks, and so would a large one in one go.
 */
export function* readingAhead(segment: AuditSegment): Steps<void> {
  const isLarge = segment.bytes.length > largeBytes;
  ledgerOf(segment);
  if (isLarge) yield;
  yield* hashing(segment.bytes);
  if (isLarge) yield;
  yield* linking(segment.bytes);
}

const largeBytes = 500_000;

function ledgerOf(segment: AuditSegment): SegmentLedger {
  const ledger = known.get(segment) ?? readSegment(segment);
  known.set(segment, ledger);
  return ledger;
}

function readSegment(segment: AuditSegment): SegmentLedger {
  const scanned = scanRecords(segment);
  if (scanned !== null) return countScanned(segment.bytes, scanned);
  const counts = new Map<string, RecordedCounts>();
  let attempts = 0;
  try {
    for (const record of recordsOf(segment)) {
      if (record.kind === "start") attempts++;
      if ("episode" in record) countRecord(countsOf(record.episode, counts), record);
    }
  } catch (error) {
    return { counts, attempts, fault: messageOf(error) };
  }
  return { counts, attempts, fault: null };
}

/** Only what an episode ended with is needed in full. */
function countScanned(bytes: Uint8Array, scanned: readonly ScannedRecord[]): SegmentLedger {
  const counts = new Map<string, RecordedCounts>();
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let attempts = 0;
  for (const { kind, episode, elements, start, end } of scanned) {
    const recorded = countsOf(episode, counts);
    if (kind === "start") attempts++;
    else if (kind === "end") recorded.end = JSON.parse(lines.toString("utf8", start, end));
    else count(recorded, kind, elements);
  }
  return { counts, attempts, fault: null };
}

function countsOf(episode: string, counts: Map<string, RecordedCounts>): RecordedCounts {
  const known = counts.get(episode);
  if (known !== undefined) return known;
  const begun = nothingRecorded();
  counts.set(episode, begun);
  return begun;
}

function* readLedger(segments: readonly AuditSegment[]): Steps<Ledger> {
  const counts = new Map<string, RecordedCounts>();
  const unreadable = new Map<number, string>();
  const totals = { attempts: 0, syscalls: 0, violations: 0 };
  for (const segment of segments) {
    const ledger = ledgerOf(segment);
    if (ledger.counts.size > stepEpisodes) yield;
    if (ledger.fault !== null) unreadable.set(segment.worker, ledger.fault);
    totals.attempts += ledger.attempts;
    for (const [episode, own] of ledger.counts) {
      const place = placeOf(segment.worker, episode);
      const before = counts.get(place);
      counts.set(place, before === undefined ? own : joined(before, own));
      totals.syscalls += own.intents;
      totals.violations += own.violations;
    }
  }
  return { counts, unreadable, totals };
}

/** Of an episode whose records are in several segments. */
function joined(one: RecordedCounts, other: RecordedCounts): RecordedCounts {
  return {
    intents: one.intents + other.intents,
    syscalls: one.syscalls + other.syscalls,
    violations: one.violations + other.violations,
    end: other.end ?? one.end,
  };
}

export function nothingRecorded(): RecordedCounts {
  return { intents: 0, syscalls: 0, violations: 0, end: null };
}

export function countRecord(recorded: RecordedCounts, record: AuditRecord): void {
  if (record.kind === "end") recorded.end = record;
  else if (record.kind === "calls") count(recorded, record.kind, record.args.length);
  else count(recorded, record.kind, record.kind === "outcome" ? record.violations.length : 0);
}

/** @param elements Args of `calls`, violations of an `outcome`. */
function count(recorded: RecordedCounts, kind: AuditRecord["kind"], elements: number): void {
  if (kind === "calls") {
    recorded.intents += elements;
    recorded.syscalls += elements;
  } else if (kind === "intent") recorded.intents++;
  else if (kind === "outcome") {
    recorded.syscalls++;
    recorded.violations += elements;
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
