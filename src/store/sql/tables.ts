import type { Generated, GeneratedAlways, Selectable } from "kysely";
import type { Split } from "../../core/env.ts";
import type { Boundary, EpisodeOutcome, Phase } from "../../core/episode.ts";
import type { Severity, ViolationType } from "../../core/syscall.ts";
import type { RunStatus } from "../lightning-store.ts";
import type { AttemptStatus, RolloutMode, RolloutStatus, WorkerStatus } from "../rollout-record.ts";
import type { SpanStatus } from "../span.ts";

/** The tables of both databases; schema.ts makes them, docs/store.md explains them. JSON is text here, flags are 0 and 1. */
export interface Tables {
  runs: RunTable;
  iterations: IterationTable;
  rollouts: EpisodeTable;
  violations: ViolationTable;
  spans: SpanTable;
  audit_segments: SegmentTable;
  audit_checkpoints: CheckpointTable;
  trajectories: TrajectoryTable;
  queue_rollouts: QueueRolloutTable;
  queue_attempts: QueueAttemptTable;
  queue_workers: QueueWorkerTable;
  queue_resources: QueueResourcesTable;
  queue_spans: QueueSpanTable;
  queue_span_sequences: SpanSequenceTable;
  lightning_rollouts: LightningRolloutView;
}

interface RunTable {
  key: Generated<number>;
  id: string;
  status: RunStatus;
  config: string;
  report: string | null;
  started_at: number;
  ended_at: number | null;
}

interface IterationTable {
  key: Generated<number>;
  run: number;
  phase: Phase;
  iteration: number;
  weights: number;
  episodes: number;
  metrics: string;
  accuracy: GeneratedAlways<number | null>;
  violation_rate: GeneratedAlways<number | null>;
  mean_reward: GeneratedAlways<number | null>;
  mean_cost: GeneratedAlways<number | null>;
  stored_at: number;
  /** How many spans its records give; 0 where they are rows, as before version 3. */
  spans: Generated<number>;
  /** Whether violations are among them; `null` where they are rows. */
  emit_violations: number | null;
}

interface EpisodeTable {
  key: Generated<number>;
  run: number;
  batch: number;
  episode: string;
  task: string;
  split: Split;
  group_index: number;
  episode_index: number;
  seed: number;
  weights: number;
  worker: number;
  attempt: number;
  outcome: EpisodeOutcome;
  error_boundary: Boundary | null;
  error: string | null;
  success: number;
  reward: number;
  cost: number;
  scalar_reward: number;
  advantage: number | null;
  steps: number;
  tokens: number;
  oracle: string | null;
}
export type EpisodeRow = Selectable<EpisodeTable>;

interface ViolationTable {
  key: Generated<number>;
  rollout: number;
  step: number;
  statement: string;
  policy: string;
  rule: string;
  severity: Severity;
  type: ViolationType;
  description: string;
  blocked: number;
  penalty: number;
}
export type ViolationRow = Selectable<ViolationTable>;

/** Spans that no stored record gives: imported before their batch, or by a version that kept all of them as rows. */
interface SpanTable {
  run: number;
  episode: string;
  trace_id: string;
  span_id: string;
  parent_id: string | null;
  name: string;
  status: SpanStatus;
  worker: number;
  epoch: number;
  start_sequence: number;
  end_sequence: number;
  attributes: string;
}
export type SpanRow = Selectable<SpanTable>;

interface SegmentTable {
  run: number;
  worker: number;
  epoch: number;
  first: number;
  count: number;
  previous: string;
  head: string;
  leaf: number;
  batch: number;
  /** As segment-codec.ts packs them. */
  bytes: Uint8Array;
}

interface CheckpointTable {
  run: number;
  size: number;
  root: string;
  note: string;
  phase: Phase;
  iteration: number;
}

interface TrajectoryTable {
  batch: number;
  /** As trajectory-codec.ts packs them. */
  bytes: Uint8Array;
}

interface QueueRolloutTable {
  key: Generated<number>;
  rollout_id: string;
  input: string;
  start_time: number;
  end_time: number | null;
  mode: RolloutMode | null;
  resources_id: string | null;
  status: RolloutStatus;
  config: string;
  metadata: string | null;
  /** Its place in the queue; `null` where it does not wait. */
  place: number | null;
  /** How many attempts it has had. */
  attempts: Generated<number>;
  /** When its latest attempt is overdue. */
  deadline: number | null;
}
export type QueueRolloutRow = Selectable<QueueRolloutTable>;

interface QueueAttemptTable {
  key: Generated<number>;
  rollout: number;
  attempt_id: string;
  sequence_id: number;
  start_time: number;
  end_time: number | null;
  status: AttemptStatus;
  worker_id: string | null;
  last_heartbeat_time: number | null;
  metadata: string | null;
}
export type QueueAttemptRow = Selectable<QueueAttemptTable>;

interface QueueWorkerTable {
  key: Generated<number>;
  worker_id: string;
  status: WorkerStatus;
  heartbeat_stats: string | null;
  last_heartbeat_time: number | null;
  last_dequeue_time: number | null;
  last_busy_time: number | null;
  last_idle_time: number | null;
  current_rollout_id: string | null;
  current_attempt_id: string | null;
}
export type QueueWorkerRow = Selectable<QueueWorkerTable>;

interface QueueResourcesTable {
  key: Generated<number>;
  resources_id: string;
  create_time: number;
  update_time: number;
  version: number;
  resources: string;
  /** Counts additions and updates over all resources of clients: the greatest is the latest. 0: weights of a training run. */
  change: number;
}
export type QueueResourcesRow = Selectable<QueueResourcesTable>;

interface QueueSpanTable {
  key: Generated<number>;
  attempt: number;
  sequence_id: number;
  trace_id: string;
  span_id: string;
  parent_id: string | null;
  name: string;
  start_time: number | null;
  end_time: number | null;
  /** The other fields, as one JSON object; those that are empty are left out. */
  rest: string;
}
export type QueueSpanRow = Selectable<QueueSpanTable>;

interface SpanSequenceTable {
  rollout_id: string;
  last: number;
}

/** Rollouts of the queue (source 0) and episodes of training runs (source 1). */
interface LightningRolloutView {
  source: number;
  key: number;
  rollout_id: string;
  status: RolloutStatus;
  mode: RolloutMode | null;
  resources_id: string | null;
  start_time: number;
  end_time: number | null;
}
