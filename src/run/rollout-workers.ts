import type { ResolvedConfig } from "../config/config-schema.ts";
import { ProcessPool } from "../pool/process-pool.ts";
import { WorkerPool } from "../pool/worker-pool.ts";
import type { PoolOptions, Workers } from "../pool/workers.ts";
import type { RolloutResult, RolloutSetup, WorkerTask } from "./rollout.ts";
import type { SurrogateGradient } from "./surrogate.ts";

/** What rolls out and differentiates, wherever it runs. */
export type RolloutWorkers = Workers<WorkerTask, RolloutResult | SurrogateGradient>;

export type StartWorkers = (options: PoolOptions & { readonly setup: RolloutSetup }) => RolloutWorkers;

/** What starts them, by the config's `isolation`. */
export const startersOf: Readonly<Record<ResolvedConfig["isolation"], StartWorkers>> = {
  thread: (options) => new WorkerPool(options),
  process(options) {
    // The worker of a process counts on from those that were spawned before it.
    const count = new Int32Array(options.setup.workerCount);
    return new ProcessPool({ ...options, onSpawned: () => Atomics.add(count, 0, 1) });
  },
};
