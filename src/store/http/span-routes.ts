import { z } from "zod";
import type { RolloutQueue } from "../rollout-queue.ts";
import * as replies from "./agl-replies.ts";
import * as schemas from "./agl-schemas.ts";
import { checkPage } from "./check-page.ts";
import type { Metrics } from "./metrics.ts";
import { get, post, type Route } from "./route.ts";
import { rolloutSpan } from "./span-schema.ts";

/** Spans one by one, as JSON. */
export function spanRoutes(store: RolloutQueue, metrics: Metrics): readonly Route[] {
  const reply = replies.pageOf(rolloutSpan);
  return [
    post("/v1/agl/spans", {
      summary: "Add a span; null where the attempt has its id already",
      status: 201,
      body: rolloutSpan,
      reply: rolloutSpan.nullable(),
      run: async ({ body }) => {
        const stored = await store.addSpan(body);
        metrics.spansReceived(stored === null ? { duplicate: 1 } : { stored: 1 });
        return stored;
      },
    }),
    get("/v1/agl/spans", {
      summary: "Spans of a rollout",
      query: schemas.spansQuery,
      reply,
      run: ({ query }) => store.querySpans(checkPage(query, "spans")),
    }),
    post("/v1/agl/spans/search", {
      summary: "Spans of a rollout",
      access: "read",
      body: schemas.spansQuery,
      reply,
      run: ({ body }) => store.querySpans(checkPage(body, "spans")),
    }),
    post("/v1/agl/spans/next", {
      summary: "A number for the next span, greater than all before in its rollout",
      body: schemas.nextSequenceId,
      reply: replies.sequenceId,
      run: async ({ body }) => ({
        sequence_id: await store.getNextSpanSequenceId(body.rollout_id, body.attempt_id),
      }),
    }),
    post("/v1/faraday/addSpans", {
      summary: "Add spans; null for each whose attempt has its id already",
      body: z.array(rolloutSpan),
      reply: z.array(rolloutSpan.nullable()),
      run: async ({ body }) => {
        const results = await store.addSpans(body);
        const stored = results.filter((span) => span !== null).length;
        metrics.spansReceived({ stored, duplicate: results.length - stored });
        return results;
      },
    }),
    post("/v1/faraday/nextSpanSequenceIds", {
      summary: "A number for each of the spans to come",
      body: z.array(schemas.nextSequenceId),
      reply: z.array(z.int()),
      run: ({ body }) => store.getNextSpanSequenceIds(body),
    }),
  ];
}
