import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Load } from "./load/load.ts";
import { servedStore } from "./load/served.ts";
import { spansPerRequest, type Workload } from "./load/workloads.ts";
import { agentLightningServer } from "./peers/peer.ts";
import { peerMark } from "./render.ts";
import type { FillBench } from "./suite.ts";

const inFlight = 32;

/** What is asked for, how often in one timed run, and what that amounts to. */
const asked: readonly {
  readonly workload: Workload;
  readonly turns: number;
  readonly unit: string;
  readonly name: string;
}[] = [
  { workload: "rollout", turns: 64, unit: "rollout", name: "whole rollouts, 8 requests each" },
  { workload: "enqueue", turns: 256, unit: "request", name: "enqueue" },
  { workload: "dequeue", turns: 256, unit: "request", name: "dequeue" },
  { workload: "span", turns: 256, unit: "request", name: "add a span" },
  { workload: "update", turns: 256, unit: "request", name: "update an attempt" },
  { workload: "get", turns: 256, unit: "request", name: "get a rollout" },
  { workload: "traces", turns: 64, unit: "span", name: `OTLP, ${spansPerRequest} spans a request` },
];

/**
 * The store over HTTP, SQLite on disk behind it, 32 requests in flight; and, where it is installed, Agent Lightning's own server with its
 * store in memory under the same load in the same run. Server and clients each have a process or thread of their own.
 */
export const storeHttp: FillBench = async (bench, resources) => {
  const folder = await mkdtemp(join(tmpdir(), "faraday-bench-"));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const servers = { "": await servedStore(folder, resources), [peerMark]: await agentLightningServer(resources) };
  const amounts: Record<string, { count: number; unit: string }> = {};
  for (const [mark, url] of Object.entries(servers)) {
    if (url === undefined) continue;
    const load = resources.use(new Load(url));
    for (const { workload, turns, unit, name } of asked) {
      const run = async () => ({ overriddenDuration: await load.run({ workload, turns, inFlight }) });
      bench.add(name + mark, run, { async: true });
      amounts[name + mark] = { count: unit === "span" ? turns * spansPerRequest : turns, unit };
    }
  }
  return amounts;
};
