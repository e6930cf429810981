/**
 * What a LightningStore keeps of a rollout's life. Field names are those of Agent Lightning 0.3's wire format, in its own
 * snake_case: a server hands records out and takes them in as they are, and renaming fields would cost every request.
 * Times are seconds since 1970.
 */
export interface Rollout {
  /** `ro-` and 12 hexadecimal digits; `ro-0` begins those of a training run's episodes, which cannot be changed. */
  readonly rollout_id: string;
  readonly input: unknown;
  readonly start_time: number;
  readonly end_time: number | null;
  readonly mode: RolloutMode | null;
  readonly resources_id: string | null;
  readonly status: RolloutStatus;
  readonly config: RolloutConfig;
  readonly metadata: Metadata | null;
}

/** A rollout with its latest attempt. */
export interface AttemptedRollout extends Rollout {
  readonly attempt: Attempt;
}

export interface Attempt {
  readonly rollout_id: string;
  /** `at-` and 8 hexadecimal digits. */
  readonly attempt_id: string;
  /** Counts the attempts at a rollout from 1. */
  readonly sequence_id: number;
  readonly start_time: number;
  readonly end_time: number | null;
  readonly status: AttemptStatus;
  readonly worker_id: string | null;
  readonly last_heartbeat_time: number | null;
  readonly metadata: Metadata | null;
}

export interface RolloutConfig {
  /** From an attempt's start to its timeout. */
  readonly timeout_seconds: number | null;
  /** From an attempt's last heartbeat, or its start, to its being unresponsive. */
  readonly unresponsive_seconds: number | null;
  /** At least 1. */
  readonly max_attempts: number;
  /** How an attempt may have ended for the rollout to be tried again. */
  readonly retry_condition: readonly AttemptStatus[];
}

/** A config of which only a part is named; the rest is as in {@link defaultRolloutConfig}. */
export type RolloutConfigInput = { readonly [Key in keyof RolloutConfig]?: RolloutConfig[Key] | undefined };

export const defaultRolloutConfig: RolloutConfig = {
  timeout_seconds: null,
  unresponsive_seconds: null,
  max_attempts: 1,
  retry_condition: [],
};

export interface Worker {
  readonly worker_id: string;
  readonly status: WorkerStatus;
  readonly heartbeat_stats: Metadata | null;
  readonly last_heartbeat_time: number | null;
  readonly last_dequeue_time: number | null;
  readonly last_busy_time: number | null;
  readonly last_idle_time: number | null;
  readonly current_rollout_id: string | null;
  readonly current_attempt_id: string | null;
}

/** A snapshot of named resources: prompt templates, endpoints, weights. */
export interface ResourcesUpdate {
  /** `rs-` and 12 hexadecimal digits, or a name of the caller's. */
  readonly resources_id: string;
  readonly create_time: number;
  readonly update_time: number;
  /** Counts the updates from 1. */
  readonly version: number;
  readonly resources: NamedResources;
}

/** Each is an object with a `resource_type`; what else is in it is the caller's matter. */
export type NamedResources = Readonly<Record<string, unknown>>;

export type Metadata = Readonly<Record<string, unknown>>;

export const rolloutStatuses = [
  "queuing",
  "preparing",
  "running",
  "failed",
  "succeeded",
  "cancelled",
  "requeuing",
] as const;
export type RolloutStatus = (typeof rolloutStatuses)[number];

/** Nothing changes a rollout in one of these any more but an update that says so. */
export const terminalStatuses: readonly RolloutStatus[] = ["failed", "succeeded", "cancelled"];
export const queuedStatuses: readonly RolloutStatus[] = ["queuing", "requeuing"];

export const attemptStatuses = ["preparing", "running", "failed", "succeeded", "unresponsive", "timeout"] as const;
export type AttemptStatus = (typeof attemptStatuses)[number];

export const rolloutModes = ["train", "val", "test"] as const;
export type RolloutMode = (typeof rolloutModes)[number];

export const workerStatuses = ["idle", "busy", "unknown"] as const;
export type WorkerStatus = (typeof workerStatuses)[number];
