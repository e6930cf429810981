import { z } from "zod";
import type { RolloutQueue } from "../rollout-queue.ts";
import type { AttemptedRollout, Rollout } from "../rollout-record.ts";
import * as replies from "./agl-replies.ts";
import * as schemas from "./agl-schemas.ts";
import { HttpError } from "./http-error.ts";
import { askOnce, idempotencyHeader } from "./idempotency.ts";
import { post, type Route } from "./route.ts";

/** Rollouts into the queue, out of it, and waiting for them. */
export function queueRoutes(store: RolloutQueue, { waitsMax }: { readonly waitsMax: number }): readonly Route[] {
  const waits = new Waits(waitsMax);
  return [
    post("/v1/agl/queues/rollouts/enqueue", {
      summary: "Put rollouts into the queue",
      status: 201,
      body: schemas.enqueueRollouts,
      reply: z.array(replies.rollout),
      headers: [idempotencyHeader],
      run: (call) => {
        const { rollouts } = call.body;
        return rollouts.length === 0 ? [] : store.enqueueRollouts(rollouts, askOnce(call));
      },
    }),
    post("/v1/agl/queues/rollouts/dequeue", {
      summary: "Take the oldest rollouts from the queue, each with a new attempt",
      body: schemas.dequeueRollouts,
      reply: z.array(replies.attemptedRollout),
      run: ({ body }) => dequeue(store, body ?? { limit: 1 }),
    }),
    post("/v1/agl/waits/rollouts", {
      summary: "Wait until rollouts have ended",
      access: "read",
      body: schemas.waitForRollouts,
      reply: z.array(replies.rollout),
      run: async ({ body, signal }) => {
        const options = { timeoutSeconds: body.timeout, signal: signal() };
        const ended = await waits.run(() => store.waitForRollouts(body.rollout_ids, options));
        return ended.map(withoutAttempt);
      },
    }),
  ];
}

function dequeue(
  store: RolloutQueue,
  request: { readonly limit: number; readonly worker_id?: string | null | undefined },
) {
  return request.limit <= 0 ? [] : store.dequeueRollouts(request);
}

/** Of those that have ended, the API tells no attempt. */
function withoutAttempt(rollout: Rollout): Rollout {
  const { attempt: _, ...rest }: Rollout & Partial<AttemptedRollout> = rollout;
  return rest;
}

/** Counts what is waited for, since a wait holds its connection. */
class Waits {
  readonly #max: number;
  #open = 0;

  constructor(max: number) {
    this.#max = max;
  }

  async run<Result>(wait: () => Promise<Result>): Promise<Result> {
    if (this.#open >= this.#max)
      throw new HttpError(503, `${this.#max} waits are open already`, { "Retry-After": "1" });
    this.#open++;
    try {
      return await wait();
    } finally {
      this.#open--;
    }
  }
}
