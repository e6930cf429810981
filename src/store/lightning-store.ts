import type { LoggedSegment } from "../audit/audit-log.ts";
import type { AuditSegment } from "../core/audit.ts";
import type { EpisodeSummary, Phase } from "../core/episode.ts";
import type { TrajectoryColumns } from "../core/trajectory.ts";
import type { KeptWeights } from "./kept-weights.ts";
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

/** What a batch brought to the audit log: its segments, one after the other in the run's tree, and the tree signed with them in it. */
export interface BatchAudit {
  readonly segments: readonly LoggedSegment[];
  readonly checkpoint: SignedTree;
}

/** A tree of audit records as its log signed it. */
export interface SignedTree {
  /** Records in it. */
  readonly size: number;
  /** 64 hexadecimal digits. */
  readonly root: string;
  /** The signed C2SP checkpoint that says so. */
  readonly note: string;
}

/** Everything that one batch of rollouts did; stored whole or not at all. */
/** What there is in records. */
export interface RecordedTotals {
  readonly attempts: number;
  readonly syscalls: number;
  readonly violations: number;
}

export interface BatchRecord {
  readonly run: string;
  readonly phase: Phase;
  readonly iteration: number;
  readonly weights: number;
  readonly episodes: readonly StoredEpisode[];
  /** What the run's AuditLog made of the batch. */
  readonly audit: BatchAudit;
  /** Figures of the iteration or evaluation, by name. */
  readonly metrics: Readonly<Record<string, number>>;
  /**
   * What its records have: attempts begun, syscalls, and violations in their outcomes. Whoever has read them tells, so that a store need not;
   * counted where it is absent.
   */
  readonly recorded?: RecordedTotals | undefined;
  /** Whether violations become spans of their own (`runner.emitViolations`). */
  readonly emitViolations: boolean;
  /** What the policy model read and wrote, one an episode in their order; absent where there is none to keep. */
  readonly trajectories?: TrajectoryColumns | undefined;
}

/** What stores batches in a store's stead, such as a thread. Disposing of it waits for those that it was given. */
export interface BatchWriter extends AsyncDisposable {
  /** As {@link LightningStore.storeBatch}. */
  storeBatch(batch: BatchRecord): Promise<void>;
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
  /**
   * Makes a checkpoint known as resources of the queue, which clients read by their id and see in lists; the latest resources stay what
   * clients published. Other weights under the same name are its next version, the same ones change nothing.
   */
  storeWeights(weights: KeptWeights): Promise<void>;
  runs(): Promise<readonly StoredRun[]>;
  /** Batches in the order they were stored. */
  iterations(run: string): Promise<readonly StoredIteration[]>;
  /** Violations with the statement, rule, weights and penalty, in order of storing. */
  violations(run: string, limit?: number): Promise<readonly StoredViolation[]>;
  /** Episodes in the order they were stored, of all phases, of one, or of one batch. */
  episodes(run: string, phase?: Phase, iteration?: number): Promise<readonly StoredEpisode[]>;
  /** Trajectories of a batch, one an episode in the order they were stored; `null` where none were kept. */
  trajectories(run: string, phase: Phase, iteration: number): Promise<TrajectoryColumns | null>;
  /** Every audit segment, byte for byte, ordered by worker, epoch and sequence. */
  audit(run: string): Promise<readonly AuditSegment[]>;
  /** The same segments in the order of the run's tree, a few at a time. */
  auditTree(run: string): AsyncIterable<TreeSegment>;
  /** Signed trees, the smallest first. */
  checkpoints(run: string): Promise<readonly StoredCheckpoint[]>;
  /** Spans in the order of their recorders (worker, epoch, sequence), of all episodes or of one. */
  spans(run: string, episode?: string): Promise<readonly Span[]>;
  spanCount(run: string): Promise<number>;
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
  /** How many it has. */
  readonly episodes: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Milliseconds since 1970. */
  readonly storedAt: number;
}

/** A segment and the batch that it was stored with. */
export interface TreeSegment extends LoggedSegment {
  readonly phase: Phase;
  readonly iteration: number;
}

/** A signed tree and the batch that it was signed with. */
export interface StoredCheckpoint extends SignedTree {
  readonly phase: Phase;
  readonly iteration: number;
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
