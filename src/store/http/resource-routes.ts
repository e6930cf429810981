import { z } from "zod";
import type { RolloutQueue } from "../rollout-queue.ts";
import * as replies from "./agl-replies.ts";
import * as schemas from "./agl-schemas.ts";
import { checkPage, refuseNull } from "./check-page.ts";
import { get, post, type Route } from "./route.ts";

/** Resources, workers and statistics. */
export function resourceRoutes(store: RolloutQueue): readonly Route[] {
  return [
    get("/v1/agl/resources", {
      summary: "Snapshots of resources",
      query: schemas.resourcesQuery,
      reply: replies.pageOf(replies.resourcesUpdate),
      run: ({ query }) => store.queryResources(checkPage(query, "resources")),
    }),
    post("/v1/agl/resources", {
      summary: "Add a snapshot of resources, which becomes the latest",
      status: 201,
      body: schemas.namedResources,
      reply: replies.resourcesUpdate,
      run: ({ body }) => store.addResources(body),
    }),
    get("/v1/agl/resources/latest", {
      summary: "The latest resources; null where there are none",
      reply: replies.resourcesUpdate.nullable(),
      run: () => store.getLatestResources(),
    }),
    get("/v1/agl/resources/{resources_id}", {
      summary: "Resources by their id; null where there are none",
      reply: replies.resourcesUpdate.nullable(),
      run: ({ params: { resources_id: id = "" } }) => store.getResourcesById(id),
    }),
    post("/v1/agl/resources/{resources_id}", {
      summary: "Add a version of resources, which becomes the latest",
      body: schemas.namedResources,
      reply: replies.resourcesUpdate,
      run: ({ params: { resources_id: id = "" }, body }) => store.updateResources(id, body),
    }),
    ...freeResourceRoutes(store),
    ...workerRoutes(store),
    get("/v1/agl/statistics", {
      summary: "How many of everything there are",
      reply: z.record(z.string(), z.unknown()),
      run: () => store.statistics(),
    }),
  ];
}

/** Resources of kinds that Agent Lightning does not know, such as weights; its clients cannot read them. */
function freeResourceRoutes(store: RolloutQueue): readonly Route[] {
  const resources = z.record(z.string(), z.looseObject({ resource_type: z.string() }));
  return [
    post("/v1/faraday/addResources", {
      summary: "Add a snapshot of resources of any kinds",
      body: z.object({ resources }),
      reply: replies.resourcesUpdate,
      run: ({ body }) => store.addResources(body.resources),
    }),
    post("/v1/faraday/updateResources", {
      summary: "Add a version of resources of any kinds",
      body: z.object({ resources_id: z.string(), resources }),
      reply: replies.resourcesUpdate,
      run: ({ body }) => store.updateResources(body.resources_id, body.resources),
    }),
  ];
}

function workerRoutes(store: RolloutQueue): readonly Route[] {
  const reply = replies.pageOf(replies.worker);
  return [
    get("/v1/agl/workers", {
      summary: "Workers by status and id",
      query: schemas.workersQuery,
      reply,
      run: ({ query }) => store.queryWorkers(checkPage(query, "workers")),
    }),
    post("/v1/agl/workers/search", {
      summary: "Workers by status and id",
      access: "read",
      body: schemas.workersQuery,
      reply,
      run: ({ body }) => store.queryWorkers(checkPage(body, "workers")),
    }),
    get("/v1/agl/workers/{worker_id}", {
      summary: "A worker; null where it is not known",
      reply: replies.worker.nullable(),
      run: ({ params: { worker_id: id = "" } }) => store.getWorker(id),
    }),
    post("/v1/agl/workers/{worker_id}", {
      summary: "A worker's heartbeat; makes the worker where it is not known",
      body: schemas.workerPatch,
      reply: replies.worker,
      run: ({ params: { worker_id: id = "" }, body }) =>
        store.updateWorker(id, refuseNull(body ?? {}, ["heartbeat_stats"])),
    }),
  ];
}
