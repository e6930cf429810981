import { randomUUID } from "node:crypto";
import { parseExactly } from "../exact-json.ts";
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
import { BadValueError, UnknownIdError } from "../store-errors.ts";
import { idempotencyHeader } from "./idempotency.ts";
import type { StoreConnection, StoreRequest } from "./store-connection.ts";

const agl = "/v1/agl";
const secondsMax = 20;

type Asked = Pick<StoreRequest, "signal" | "headers"> & { readonly once?: true };

interface WaitingSpan {
  readonly span: RolloutSpan;
  readonly resolve: (stored: RolloutSpan | null) => void;
  readonly reject: (error: unknown) => void;
}

/** The queue of a server, by Agent Lightning's own paths. */
export class HttpQueue implements RolloutQueue {
  protected readonly connection: StoreConnection;
  readonly #spans: WaitingSpan[] = [];

  constructor(connection: StoreConnection) {
    this.connection = connection;
  }

  async startRollout(request: StartRolloutRequest, options?: AskOnce): Promise<AttemptedRollout> {
    return await this.#post("/rollouts", request, { headers: keyed(options) });
  }

  async enqueueRollouts(rollouts: readonly EnqueueRolloutRequest[], options?: AskOnce): Promise<readonly Rollout[]> {
    return await this.#post("/queues/rollouts/enqueue", { rollouts }, { headers: keyed(options) });
  }

  async enqueueRollout(request: EnqueueRolloutRequest, options?: AskOnce): Promise<Rollout> {
    const [rollout] = await this.enqueueRollouts([request], options);
    return rollout as Rollout;
  }

  async dequeueRollouts(request: DequeueRequest = {}): Promise<readonly AttemptedRollout[]> {
    return await this.#post("/queues/rollouts/dequeue", request, { once: true });
  }

  async dequeueRollout(workerId: string | null = null): Promise<AttemptedRollout | null> {
    return (await this.dequeueRollouts({ worker_id: workerId }))[0] ?? null;
  }

  async startAttempt(rolloutId: string, workerId: string | null = null): Promise<AttemptedRollout> {
    return await this.#post(`/rollouts/${part(rolloutId)}/attempts`, { worker_id: workerId }, { once: true });
  }

  async queryRollouts(query: RolloutsQuery = {}): Promise<Page<Rollout | AttemptedRollout>> {
    return await this.#post("/rollouts/search", query);
  }

  async getRollout(rolloutId: string): Promise<Rollout | AttemptedRollout | null> {
    try {
      return await this.#get(`/rollouts/${part(rolloutId)}`);
    } catch (error) {
      if (error instanceof UnknownIdError) return null;
      throw error;
    }
  }

  async queryAttempts(rolloutId: string, query: PageQuery = {}): Promise<Page<Attempt>> {
    return await this.#post(`/rollouts/${part(rolloutId)}/attempts/search`, query);
  }

  async getLatestAttempt(rolloutId: string): Promise<Attempt | null> {
    return await this.#get(`/rollouts/${part(rolloutId)}/attempts/latest`);
  }

  async updateRollout(rolloutId: string, patch: RolloutPatch): Promise<Rollout> {
    return await this.#post(`/rollouts/${part(rolloutId)}`, patch);
  }

  async updateAttempt(rolloutId: string, attemptId: string, patch: AttemptPatch): Promise<Attempt> {
    return await this.#post(`/rollouts/${part(rolloutId)}/attempts/${part(attemptId)}`, patch);
  }

  /** In pieces, since no connection lasts for ever. */
  async waitForRollouts(rolloutIds: readonly string[], options: WaitOptions = {}): Promise<readonly Rollout[]> {
    const { timeoutSeconds = null, signal } = options;
    const until = performance.now() + 1000 * (timeoutSeconds ?? Number.POSITIVE_INFINITY);
    for (;;) {
      const left = Math.max(0, (until - performance.now()) / 1000);
      const started = performance.now();
      const timeout = Math.min(left, secondsMax);
      const asked = { rollout_ids: rolloutIds, timeout };
      const ended: readonly Rollout[] = await this.#post("/waits/rollouts", asked, { signal });
      // All have ended, or are not there, where it answers before its time.
      if (left <= secondsMax || performance.now() - started < 1000 * timeout) return ended;
    }
  }

  async addResources(resources: NamedResources): Promise<ResourcesUpdate> {
    return await this.#ask("/v1/faraday/addResources", { resources }, { once: true });
  }

  async updateResources(resourcesId: string, resources: NamedResources): Promise<ResourcesUpdate> {
    const update = { resources_id: resourcesId, resources };
    return await this.#ask("/v1/faraday/updateResources", update, { once: true });
  }

  async getResourcesById(resourcesId: string): Promise<ResourcesUpdate | null> {
    return await this.#get(`/resources/${part(resourcesId)}`);
  }

  async getLatestResources(): Promise<ResourcesUpdate | null> {
    return await this.#get("/resources/latest");
  }

  async queryResources(query: ResourcesQuery = {}): Promise<Page<ResourcesUpdate>> {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
    return await this.#get(`/resources?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`);
  }

  /** Spans that are added in one turn of the event loop go in one request. */
  async addSpan(span: RolloutSpan): Promise<RolloutSpan | null> {
    return await new Promise((resolve, reject) => {
      if (this.#spans.length === 0) setImmediate(() => void this.#addTogether());
      this.#spans.push({ span, resolve, reject });
    });
  }

  async #addTogether(): Promise<void> {
    const together = this.#spans.splice(0);
    try {
      const results = await this.addSpans(together.map(({ span }) => span));
      for (const [index, { resolve }] of together.entries()) resolve(results[index] ?? null);
    } catch (error) {
      if (!(error instanceof UnknownIdError || error instanceof BadValueError)) {
        for (const { reject } of together) reject(error);
        return;
      }
      // One that is refused takes none of the others along.
      for (const { span, resolve, reject } of together) {
        await this.#post<RolloutSpan | null>("/spans", span).then(resolve, reject);
      }
    }
  }

  async addSpans(spans: readonly RolloutSpan[]): Promise<readonly (RolloutSpan | null)[]> {
    return await this.#ask("/v1/faraday/addSpans", spans, {});
  }

  async querySpans(query: SpansQuery): Promise<Page<RolloutSpan>> {
    return await this.#post("/spans/search", query);
  }

  async getNextSpanSequenceId(rolloutId: string, attemptId: string): Promise<number> {
    const [id] = await this.getNextSpanSequenceIds([{ rollout_id: rolloutId, attempt_id: attemptId }]);
    return id as number;
  }

  async getNextSpanSequenceIds(of: readonly SpanOwner[]): Promise<readonly number[]> {
    const owners = of.map(({ rollout_id, attempt_id }) => ({ rollout_id, attempt_id }));
    return await this.#ask("/v1/faraday/nextSpanSequenceIds", owners, {});
  }

  async queryWorkers(query: WorkersQuery = {}): Promise<Page<Worker>> {
    return await this.#post("/workers/search", query);
  }

  async getWorker(workerId: string): Promise<Worker | null> {
    return await this.#get(`/workers/${part(workerId)}`);
  }

  async updateWorker(workerId: string, patch: WorkerPatch = {}): Promise<Worker> {
    return await this.#post(`/workers/${part(workerId)}`, patch);
  }

  async statistics(): Promise<StoreStatistics> {
    return await this.#get("/statistics");
  }

  async #get<Answer>(path: string): Promise<Answer> {
    return parsed(await this.connection.ask({ path: agl + path, repeatable: true }));
  }

  async #post<Answer>(path: string, body: unknown, asked: Asked = {}): Promise<Answer> {
    return await this.#ask(agl + path, body, asked);
  }

  async #ask<Answer>(path: string, body: unknown, { once, ...asked }: Asked): Promise<Answer> {
    return parsed(await this.connection.ask({ path, body: JSON.stringify(body), repeatable: once !== true, ...asked }));
  }
}

/** A request that has a key of its own may come twice. */
function keyed({ idempotencyKey = randomUUID() }: AskOnce = {}) {
  return { [idempotencyHeader]: idempotencyKey };
}

/** The server is ours or Agent Lightning's, and answers as its API has it. */
function parsed<Answer>(text: string): Answer {
  return parseExactly(text) as Answer;
}

function part(id: string): string {
  return encodeURIComponent(id);
}
