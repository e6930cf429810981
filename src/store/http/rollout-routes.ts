import type { RolloutQueue } from "../rollout-queue.ts";
import * as replies from "./agl-replies.ts";
import * as schemas from "./agl-schemas.ts";
import { checkPage, refuseNull } from "./check-page.ts";
import { HttpError } from "./http-error.ts";
import { askOnce, idempotencyHeader } from "./idempotency.ts";
import { get, post, type Route } from "./route.ts";

/** Rollouts and their attempts. */
export function rolloutRoutes(store: RolloutQueue): readonly Route[] {
  return [...oneRollout(store), ...manyRollouts(store), ...attempts(store)];
}

function oneRollout(store: RolloutQueue): readonly Route[] {
  return [
    post("/v1/agl/rollouts", {
      summary: "Begin a rollout and its first attempt, without the queue",
      status: 201,
      body: schemas.startRollout,
      reply: replies.attemptedRollout,
      headers: [idempotencyHeader],
      run: (call) => store.startRollout(call.body, askOnce(call)),
    }),
    get("/v1/agl/rollouts/{rollout_id}", {
      summary: "A rollout, with its latest attempt where it has one",
      reply: replies.anyRollout,
      run: async ({ params: { rollout_id: id = "" } }) => {
        const rollout = await store.getRollout(id);
        if (rollout === null) throw new HttpError(404, `Rollout ${id} not found`);
        return rollout;
      },
    }),
    post("/v1/agl/rollouts/{rollout_id}", {
      summary: "Change a rollout: what is absent stays, null is a value",
      body: schemas.rolloutPatch,
      reply: replies.rollout,
      run: ({ params: { rollout_id: id = "" }, body }) =>
        store.updateRollout(id, refuseNull(body, ["status", "config"])),
    }),
  ];
}

function manyRollouts(store: RolloutQueue): readonly Route[] {
  const reply = replies.pageOf(replies.anyRollout);
  return [
    get("/v1/agl/rollouts", {
      summary: "Rollouts by status and id",
      query: schemas.rolloutsQuery,
      reply,
      run: ({ query }) => store.queryRollouts(checkPage(query, "rollouts")),
    }),
    post("/v1/agl/rollouts/search", {
      summary: "Rollouts by status and id",
      access: "read",
      body: schemas.rolloutsQuery,
      reply,
      run: ({ body }) => store.queryRollouts(checkPage(body, "rollouts")),
    }),
  ];
}

function attempts(store: RolloutQueue): readonly Route[] {
  const path = "/v1/agl/rollouts/{rollout_id}/attempts";
  const reply = replies.pageOf(replies.attempt);
  return [
    post(path, {
      summary: "Begin one more attempt, without the queue",
      status: 201,
      body: schemas.startAttempt,
      reply: replies.attemptedRollout,
      run: ({ params: { rollout_id: id = "" }, body }) => store.startAttempt(id, body?.worker_id ?? null),
    }),
    get(path, {
      summary: "A rollout's attempts",
      query: schemas.attemptsQuery,
      reply,
      run: ({ params: { rollout_id: id = "" }, query }) => store.queryAttempts(id, checkPage(query, "attempts")),
    }),
    post(`${path}/search`, {
      summary: "A rollout's attempts",
      access: "read",
      body: schemas.attemptsQuery,
      reply,
      run: ({ params: { rollout_id: id = "" }, body }) => store.queryAttempts(id, checkPage(body, "attempts")),
    }),
    get(`${path}/latest`, {
      summary: "A rollout's latest attempt; null where there is none",
      reply: replies.attempt.nullable(),
      run: ({ params: { rollout_id: id = "" } }) => store.getLatestAttempt(id),
    }),
    post(`${path}/{attempt_id}`, {
      summary: "Change an attempt, or the latest; the latest one's status becomes the rollout's",
      body: schemas.attemptPatch,
      reply: replies.attempt,
      run: ({ params: { rollout_id: rollout = "", attempt_id: attempt = "" }, body }) =>
        store.updateAttempt(
          rollout,
          attempt,
          refuseNull(body, ["status", "worker_id", "last_heartbeat_time", "metadata"]),
        ),
    }),
  ];
}
