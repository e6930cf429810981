import type { Logger } from "../../core/logger.ts";
import type { LightningStore } from "../lightning-store.ts";
import type { RolloutQueue } from "../rollout-queue.ts";
import type { Metrics } from "./metrics.ts";
import { openApi } from "./openapi.ts";
import { otlpRoutes } from "./otlp-routes.ts";
import { queueRoutes } from "./queue-routes.ts";
import { resourceRoutes } from "./resource-routes.ts";
import { rolloutRoutes } from "./rollout-routes.ts";
import { get, Raw, type Route } from "./route.ts";
import { runRoutes } from "./run-routes.ts";
import type { ServerLimits } from "./server-limits.ts";
import { spanRoutes } from "./span-routes.ts";

interface Served {
  readonly store: RolloutQueue & LightningStore;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly limits: ServerLimits;
}

/** Everything that a server answers. */
export function storeRoutes({ store, metrics, logger, limits }: Served): readonly Route[] {
  const routes = [
    ...["/v1/agl/health", "/health"].map((path) =>
      get(path, { summary: "Whether it serves", access: "open", run: () => ({ status: "ok" }) }),
    ),
    ...queueRoutes(store, limits),
    ...rolloutRoutes(store),
    ...resourceRoutes(store),
    ...spanRoutes(store, metrics),
    ...runRoutes(store),
    ...otlpRoutes({ store, metrics, logger }),
    get("/metrics", {
      summary: "Metrics in the Prometheus text format",
      run: async () =>
        new Raw({
          status: 200,
          type: "text/plain; version=0.0.4; charset=utf-8",
          bytes: metrics.render(await store.statistics()),
        }),
    }),
  ];
  let document: unknown;
  return [
    ...routes,
    get("/openapi.json", {
      summary: "This document",
      access: "open",
      run: () => {
        document ??= openApi(routes);
        return document;
      },
    }),
  ];
}
