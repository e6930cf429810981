import { setTimeout as sleep } from "node:timers/promises";
import type { Page, PageQuery, ResourcesQuery, RolloutsQuery, SpansQuery, WorkersQuery } from "../rollout-query.ts";
import type {
  AskOnce,
  AttemptPatch,
  DequeueRequest,
  EnqueueRolloutRequest,
  RolloutPatch,
  RolloutQueue,
  SpanOwner,
  StartRolloutRequest,
  StoreStatistics,
  WaitOptions,
  WorkerPatch,
} from "../rollout-queue.ts";
import type { Attempt, AttemptedRollout, NamedResources, ResourcesUpdate, Rollout, Worker } from "../rollout-record.ts";
import type { RolloutSpan } from "../rollout-span.ts";
import type { Engine, Shared } from "./engine.ts";
import type { Operation } from "./operation.ts";
import { anyOverdue, endOverdue, readAttempts, readLatestAttempt, updateAttempt } from "./queue/attempt-rows.ts";
import { dequeue } from "./queue/dequeue.ts";
import { episodeSpans } from "./queue/episode-rollouts.ts";
import { filterSpans } from "./queue/filter-spans.ts";
import { episodeKeyOf } from "./queue/ids.ts";
import { readEnded, readRollout, readRollouts } from "./queue/read-rollouts.ts";
import {
  addResources,
  queryResources,
  readLatestResources,
  readResources,
  updateResources,
} from "./queue/resources-rows.ts";
import { enqueue, startAttempt, startRollout, updateRollout } from "./queue/rollout-rows.ts";
import { addSpans, nextSequenceIds, querySpans } from "./queue/span-rows.ts";
import { countAll } from "./queue/statistics.ts";
import { readWorker, readWorkers, updateWorker } from "./queue/worker-rows.ts";
import { RunStore, type RunStoreOptions } from "./run-store.ts";

export interface SqlStoreOptions extends RunStoreOptions {
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** How long waiting for rollouts goes on between two looks: others may end them, or nobody in time. */
const lookMs = { min: 10, max: 500 } as const;

/** The whole store on either database: the runs of training, and the queue that others use. */
export class SqlStore extends RunStore implements RolloutQueue {
  readonly #nowMs: () => number;
  readonly #openedAt = performance.now();

  constructor(engine: Engine, { now = Date.now, ...options }: SqlStoreOptions = {}) {
    super(engine, options);
    this.#nowMs = now;
  }

  async startRollout(request: StartRolloutRequest, options?: AskOnce): Promise<AttemptedRollout> {
    return await this.#act("start a rollout", (now) => startRollout(request, now, options), keyOf(options));
  }

  async enqueueRollouts(requests: readonly EnqueueRolloutRequest[], options?: AskOnce): Promise<readonly Rollout[]> {
    return await this.#act("enqueue rollouts", (now) => enqueue(requests, now, options), keyOf(options));
  }

  async enqueueRollout(request: EnqueueRolloutRequest, options?: AskOnce): Promise<Rollout> {
    const [rollout] = await this.enqueueRollouts([request], options);
    return rollout as Rollout;
  }

  async dequeueRollouts(request: DequeueRequest = {}): Promise<readonly AttemptedRollout[]> {
    return await this.#act("dequeue rollouts", (now) => dequeue(request, now));
  }

  async dequeueRollout(workerId: string | null = null): Promise<AttemptedRollout | null> {
    return (await this.dequeueRollouts({ worker_id: workerId }))[0] ?? null;
  }

  async startAttempt(rolloutId: string, workerId: string | null = null): Promise<AttemptedRollout> {
    return await this.#act("start an attempt", (now) => startAttempt(rolloutId, workerId, now), rolloutId);
  }

  async queryRollouts(query: RolloutsQuery = {}): Promise<Page<Rollout | AttemptedRollout>> {
    return await this.#look("rollouts", () => readRollouts(query));
  }

  async getRollout(rolloutId: string): Promise<Rollout | AttemptedRollout | null> {
    return await this.#look("a rollout", () => readRollout(rolloutId));
  }

  async queryAttempts(rolloutId: string, query: PageQuery = {}): Promise<Page<Attempt>> {
    return await this.#look("attempts", () => readAttempts(rolloutId, query));
  }

  async getLatestAttempt(rolloutId: string): Promise<Attempt | null> {
    return await this.#look("an attempt", () => readLatestAttempt(rolloutId));
  }

  async updateRollout(rolloutId: string, patch: RolloutPatch): Promise<Rollout> {
    return await this.#act("update a rollout", (now) => updateRollout(rolloutId, patch, now), rolloutId);
  }

  async updateAttempt(rolloutId: string, attemptId: string, patch: AttemptPatch): Promise<Attempt> {
    return await this.#act("update an attempt", (now) => updateAttempt(rolloutId, attemptId, patch, now), rolloutId);
  }

  async waitForRollouts(rolloutIds: readonly string[], options: WaitOptions = {}): Promise<readonly Rollout[]> {
    const { timeoutSeconds = null, signal } = options;
    const until = performance.now() + 1000 * (timeoutSeconds ?? Number.POSITIVE_INFINITY);
    for (let pause: number = lookMs.min; ; pause = Math.min(2 * pause, lookMs.max)) {
      const { ended, open } = await this.#look("rollouts", () => readEnded(rolloutIds));
      const left = until - performance.now();
      if (open === 0 || left <= 0) return ended;
      await sleep(Math.min(pause, left), undefined, { signal });
    }
  }

  async addResources(resources: NamedResources): Promise<ResourcesUpdate> {
    return await this.write("add resources", () => addResources(resources, this.#now()), { shared: {} });
  }

  async updateResources(resourcesId: string, resources: NamedResources): Promise<ResourcesUpdate> {
    return await this.write("update resources", () => updateResources(resourcesId, resources, this.#now()), {
      shared: {},
    });
  }

  async getResourcesById(resourcesId: string): Promise<ResourcesUpdate | null> {
    return await this.read("read resources", () => readResources(resourcesId));
  }

  async getLatestResources(): Promise<ResourcesUpdate | null> {
    return await this.read("read resources", readLatestResources);
  }

  async queryResources(query: ResourcesQuery = {}): Promise<Page<ResourcesUpdate>> {
    return await this.read("read resources", () => queryResources(query));
  }

  async addSpan(span: RolloutSpan): Promise<RolloutSpan | null> {
    return (await this.addSpans([span]))[0] ?? null;
  }

  async addSpans(spans: readonly RolloutSpan[]): Promise<readonly (RolloutSpan | null)[]> {
    return await this.write("add spans", () => addSpans(spans, this.#now()), { shared: sharedSpans(spans) });
  }

  async querySpans(query: SpansQuery): Promise<Page<RolloutSpan>> {
    const episode = episodeKeyOf(query.rollout_id);
    if (episode === null) return await this.#look("spans", () => querySpans(query));
    return filterSpans(await this.read("read spans", () => episodeSpans(episode)), query);
  }

  async getNextSpanSequenceId(rolloutId: string, attemptId: string): Promise<number> {
    const [id] = await this.getNextSpanSequenceIds([{ rollout_id: rolloutId, attempt_id: attemptId }]);
    return id as number;
  }

  async getNextSpanSequenceIds(of: readonly SpanOwner[]): Promise<readonly number[]> {
    return await this.write("count spans", () => nextSequenceIds(of), { shared: {} });
  }

  async queryWorkers(query: WorkersQuery = {}): Promise<Page<Worker>> {
    return await this.#look("workers", () => readWorkers(query));
  }

  async getWorker(workerId: string): Promise<Worker | null> {
    return await this.read("read a worker", () => readWorker(workerId));
  }

  async updateWorker(workerId: string, patch: WorkerPatch = {}): Promise<Worker> {
    return await this.write("update a worker", () => updateWorker(workerId, patch, this.#now()), { shared: {} });
  }

  async statistics(): Promise<StoreStatistics> {
    const counts = await this.read("count", countAll);
    const uptime = (performance.now() - this.#openedAt) / 1000;
    return { name: this.engine.dialect === "sqlite" ? "SqliteStore" : "PostgresStore", ...counts, uptime };
  }

  #now(): number {
    return this.#nowMs() / 1000;
  }

  /** Attempts that are overdue have ended before anything is decided. */
  #act<Result>(what: string, operation: (now: number) => Operation<Result>, touches?: string): Promise<Result> {
    const now = this.#now();
    const shared = { before: () => endOverdue(now), ...(touches === undefined ? {} : { touches }) };
    return this.write(what, () => operation(now), { shared });
  }

  /** Attempts that are overdue have ended before anything is read. */
  async #look<Result>(what: string, operation: () => Operation<Result>): Promise<Result> {
    const now = this.#now();
    const looked = await this.read(`read ${what}`, function* () {
      return (yield* anyOverdue(now)) ? overdue : { found: yield* operation() };
    });
    if (looked !== overdue) return looked.found;
    await this.write("end overdue attempts", () => endOverdue(now));
    return await this.read(`read ${what}`, operation);
  }
}

const overdue = Symbol("overdue");

/** What one request is told, another of the same key must be told again. */
function keyOf(options: AskOnce | undefined): string | undefined {
  return options?.idempotencyKey === undefined ? undefined : `key ${options.idempotencyKey}`;
}

/** More than so many are better stored in bulk than together with other calls. */
const sharedSpansMax = 50;

function sharedSpans(spans: readonly RolloutSpan[]): Shared | undefined {
  const rollout = spans[0]?.rollout_id;
  if (rollout === undefined || spans.length > sharedSpansMax) return undefined;
  return spans.every(({ rollout_id }) => rollout_id === rollout) ? { touches: rollout } : undefined;
}
