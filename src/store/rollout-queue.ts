import type { Page, PageQuery, ResourcesQuery, RolloutsQuery, SpansQuery, WorkersQuery } from "./rollout-query.ts";
import type {
  Attempt,
  AttemptedRollout,
  AttemptStatus,
  Metadata,
  NamedResources,
  ResourcesUpdate,
  Rollout,
  RolloutConfigInput,
  RolloutMode,
  RolloutStatus,
  Worker,
} from "./rollout-record.ts";
import type { RolloutSpan } from "./rollout-span.ts";

/**
 * The part of a LightningStore that others use: the life of rollouts from queue to end, with the semantics of Agent Lightning
 * 0.3. `openStore` gives a store that is both this and the LightningStore of training runs.
 *
 * Records have the wire's own field names (rollout-record.ts says why). Methods may be called as fast as requests come, without waiting
 * for each other: SQLite puts those of one turn of the event loop into one transaction, in the order of their calls, and each settles once that
 * is on disk. One that is refused is refused alone. PostgreSQL keeps the order of calls that concern one rollout: who needs another, awaits.
 *
 * Attempts that are overdue are ended before anything else is done or read; adding spans and counting them alone do not look. A rollout that
 * was handed out belongs to one worker, whichever process asked for it.
 *
 * Errors: {@link UnknownIdError} for an id that is not there, {@link BadValueError} for a value that cannot be; any other
 * FaradayError means that nothing was stored.
 */
export interface RolloutQueue {
  /** Begins a rollout and its first attempt at once, without the queue. */
  startRollout(request: StartRolloutRequest, options?: AskOnce): Promise<AttemptedRollout>;
  /** In the order of the requests. Without a `resources_id` they get that of the latest resources. */
  enqueueRollouts(requests: readonly EnqueueRolloutRequest[], options?: AskOnce): Promise<readonly Rollout[]>;
  enqueueRollout(request: EnqueueRolloutRequest, options?: AskOnce): Promise<Rollout>;
  /** Hands out the oldest queued rollouts, each with a new attempt. A limit of 0 or less gives none. */
  dequeueRollouts(request?: DequeueRequest): Promise<readonly AttemptedRollout[]>;
  dequeueRollout(workerId?: string | null): Promise<AttemptedRollout | null>;
  /** One more attempt, whatever `max_attempts` says. */
  startAttempt(rolloutId: string, workerId?: string | null): Promise<AttemptedRollout>;

  /** Rollouts that were attempted come with their latest attempt. */
  queryRollouts(query?: RolloutsQuery): Promise<Page<Rollout | AttemptedRollout>>;
  getRollout(rolloutId: string): Promise<Rollout | AttemptedRollout | null>;
  /** Sorted by `sequence_id` where nothing else is asked for. */
  queryAttempts(rolloutId: string, query?: PageQuery): Promise<Page<Attempt>>;
  getLatestAttempt(rolloutId: string): Promise<Attempt | null>;
  updateRollout(rolloutId: string, patch: RolloutPatch): Promise<Rollout>;
  /** @param attemptId An id, or `latest`. The latest attempt's status becomes the rollout's. */
  updateAttempt(rolloutId: string, attemptId: string, patch: AttemptPatch): Promise<Attempt>;
  /**
   * Those of the rollouts that have ended, in the order of the ids: once all have, or after `timeoutSeconds`. Ids that are not there
   * are left out. Without a timeout it waits as long as it takes, or until the signal is aborted.
   */
  waitForRollouts(rolloutIds: readonly string[], options?: WaitOptions): Promise<readonly Rollout[]>;

  addResources(resources: NamedResources): Promise<ResourcesUpdate>;
  /** A new version; the first where there is none. It becomes the latest of all. */
  updateResources(resourcesId: string, resources: NamedResources): Promise<ResourcesUpdate>;
  getResourcesById(resourcesId: string): Promise<ResourcesUpdate | null>;
  getLatestResources(): Promise<ResourcesUpdate | null>;
  queryResources(query?: ResourcesQuery): Promise<Page<ResourcesUpdate>>;

  /** `null` for a span id that the attempt has already. The first span of an attempt moves it from preparing to running. */
  addSpan(span: RolloutSpan): Promise<RolloutSpan | null>;
  /** As many results as spans. Spans of an unknown rollout or attempt refuse them all; others can be called for apart. */
  addSpans(spans: readonly RolloutSpan[]): Promise<readonly (RolloutSpan | null)[]>;
  querySpans(query: SpansQuery): Promise<Page<RolloutSpan>>;
  /** Strictly increasing in a rollout, and greater than that of any span added before. */
  getNextSpanSequenceId(rolloutId: string, attemptId: string): Promise<number>;
  /** One for each, in their order. */
  getNextSpanSequenceIds(of: readonly SpanOwner[]): Promise<readonly number[]>;

  queryWorkers(query?: WorkersQuery): Promise<Page<Worker>>;
  getWorker(workerId: string): Promise<Worker | null>;
  /** Makes the worker where it is not known; its heartbeat is now. */
  updateWorker(workerId: string, patch?: WorkerPatch): Promise<Worker>;
  statistics(): Promise<StoreStatistics>;
}

export interface EnqueueRolloutRequest {
  readonly input: unknown;
  readonly mode?: RolloutMode | null | undefined;
  readonly resources_id?: string | null | undefined;
  readonly config?: RolloutConfigInput | null | undefined;
  readonly metadata?: Metadata | null | undefined;
}

/** What makes it harmless to ask again where the answer was lost. */
export interface AskOnce {
  /**
   * A name for the request that no other has. What is asked for under a known one is not done again: the answer is the rollouts that it made
   * the first time, as they are now. One that stands for rollouts of other inputs, or another number of them, is refused.
   */
  readonly idempotencyKey?: string | undefined;
}

export interface StartRolloutRequest extends EnqueueRolloutRequest {
  readonly worker_id?: string | null | undefined;
}

export interface DequeueRequest {
  /** 1 where it is absent. */
  readonly limit?: number | undefined;
  readonly worker_id?: string | null | undefined;
}

/** An absent field stays as it is (`undefined` counts as absent); null is a value, and refused for `status` and `config`. */
export interface RolloutPatch {
  readonly input?: unknown;
  readonly mode?: RolloutMode | null | undefined;
  readonly resources_id?: string | null | undefined;
  readonly status?: RolloutStatus | null | undefined;
  readonly config?: RolloutConfigInput | null | undefined;
  readonly metadata?: Metadata | null | undefined;
}

/** As {@link RolloutPatch}; null is refused for all but `metadata`. */
export interface AttemptPatch {
  readonly status?: AttemptStatus | null | undefined;
  readonly worker_id?: string | null | undefined;
  readonly last_heartbeat_time?: number | null | undefined;
  readonly metadata?: Metadata | null | undefined;
}

/** Null is refused. */
export interface WorkerPatch {
  readonly heartbeat_stats?: Metadata | null | undefined;
}

export interface WaitOptions {
  readonly timeoutSeconds?: number | null | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SpanOwner {
  readonly rollout_id: string;
  readonly attempt_id: string;
}

export interface StoreStatistics {
  readonly name: string;
  readonly total_rollouts: number;
  readonly total_attempts: number;
  readonly total_spans: number;
  readonly total_resources: number;
  readonly total_workers: number;
  /** Seconds since the store was opened here. */
  readonly uptime: number;
}
