import type { AuditSegment } from "../core/audit.ts";
import type { EpisodeSummary, Phase } from "../core/episode.ts";
import type { Span } from "./span.ts";

export const runStatuses = ["running", "succeeded", "failed", "cancelled"] as const;
export type RunStatus = (typeof runStatuses)[number];

/** An episode as the store keeps it: what happened, who ran it, and what the learner made of it. */
export interface StoredEpisode extends EpisodeSummary {
  readonly worker: number;
  /** Attempts it took; 2 where a worker died on the first. */
  readonly attempt: number;
  /** Tokens that the policy model chose; 0 for other agents. */
  readonly tokenCount: number;
  /** What the update used; `null` in evaluation. */
  readonly advantage: number | null;
}

/** Everything that one batch of rollouts did; stored whole or not at all. */
export interface BatchRecord {
  readonly run: string;
  readonly phase: Phase;
  readonly iteration: number;
  readonly weights: number;
  readonly episodes: readonly StoredEpisode[];
  /** Segments of all workers, ordered by worker, epoch and sequence. */
  readonly audit: readonly AuditSegment[];
  /** Figures of the iteration or evaluation, by name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Whether violations become spans of their own (`runner.emitViolations`). */
  readonly emitViolations: boolean;
}

/** The central store. Every method throws a FaradayError when the data is not safely stored. */
export interface LightningStore extends AsyncDisposable {
  /** The id must be new. */
  beginRun(run: { readonly id: string; readonly config: unknown }): Promise<void>;
  /**
   * Takes up a run that was begun before, whatever its status. Recorders of the resumed run must count their epochs
   * from `epoch`, so that no sequence of theirs meets a stored one.
   */
  resumeRun(run: string): Promise<{ readonly epoch: number }>;
  /** The run must be running. */
  endRun(run: { readonly id: string; readonly status: RunStatus; readonly report?: unknown }): Promise<void>;
  /** One transaction: when it resolves, the batch is on disk. Storing the same batch again is an error. */
  storeBatch(batch: BatchRecord): Promise<void>;
  runs(): Promise<readonly StoredRun[]>;
  /** Batches in the order they were stored. */
  iterations(run: string): Promise<readonly StoredIteration[]>;
  /** Violations with the statement, rule, weights and penalty, in order of storing. */
  violations(run: string, limit?: number): Promise<readonly StoredViolation[]>;
  /** Episodes in the order they were stored, of all phases or of one. */
  episodes(run: string, phase?: Phase): Promise<readonly StoredEpisode[]>;
  /** Every audit segment, byte for byte, ordered by worker, epoch and sequence. */
  audit(run: string): Promise<readonly AuditSegment[]>;
  /** Spans in the order of their recorders (worker, epoch, sequence), of all episodes or of one. */
  spans(run: string, episode?: string): Promise<readonly Span[]>;
  /** Stores those spans that the run does not have yet, and says how many they were. One transaction. */
  importSpans(run: string, spans: readonly Span[]): Promise<number>;
}

export interface StoredRun {
  readonly id: string;
  readonly status: RunStatus;
  readonly config: unknown;
  readonly report: unknown;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number | null;
}

export interface StoredIteration {
  readonly phase: Phase;
  readonly iteration: number;
  readonly weights: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Which statement of which episode violated which rule under which weights, and what it cost. */
export interface StoredViolation {
  readonly episode: string;
  readonly task: string;
  readonly phase: Phase;
  readonly iteration: number;
  readonly weights: number;
  readonly step: number;
  readonly statement: string;
  readonly policy: string;
  readonly rule: string;
  readonly severity: string;
  readonly type: string;
  readonly blocked: boolean;
  readonly penalty: number;
}
