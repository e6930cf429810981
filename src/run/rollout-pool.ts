import { availableParallelism } from "node:os";
import type { ResolvedConfig } from "../config/config-schema.ts";
import { KernelSpace } from "../kernel/kernel-space.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { workerFile } from "../pool/worker-file.ts";
import { WorkerPool } from "../pool/worker-pool.ts";
import { Dispatcher, type FinishedBatch } from "./dispatch.ts";
import type { BatchPlan } from "./plan.ts";
import {
  type RolloutResult,
  type RolloutSetup,
  type RolloutTask,
  type SharedWeightsMemory,
  shareWeights,
  weightsAt,
} from "./rollout.ts";

/** The workers of one run and the weights that they share with it. */
export class RolloutPool implements AsyncDisposable {
  readonly #pool: WorkerPool<RolloutTask, RolloutResult>;
  readonly #dispatcher: Dispatcher;
  readonly #weights: SharedWeightsMemory;

  /** @param onFailure Told why a task failed in a worker, each time. */
  constructor(config: ResolvedConfig, checkpoint: Checkpoint, onFailure: (message: string) => void) {
    this.#weights = shareWeights(checkpoint.weights);
    const workers = workerCountOf(config);
    this.#pool = new WorkerPool({
      file: workerFile("rollout"),
      workers,
      setup: setupOf(config, checkpoint, this.#weights),
    });
    this.#dispatcher = new Dispatcher({ run: (task) => this.#pool.run(task), workers, onFailure });
  }

  /** Makes a version of the weights known. Only the newest two are kept. */
  publish(version: number, weights: Float32Array): void {
    weightsAt(this.#weights, version).set(weights);
  }

  run(plan: BatchPlan): Promise<FinishedBatch> {
    return this.#dispatcher.batch(plan);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }
}

export function workerCountOf({ workers }: ResolvedConfig): number {
  return workers === "auto" ? availableParallelism() : workers;
}

function setupOf(config: ResolvedConfig, checkpoint: Checkpoint, weights: SharedWeightsMemory): RolloutSetup {
  return {
    env: config.env,
    baseDir: config.baseDir,
    kernel: new KernelSpace(config.kernel).spec,
    runner: config.runner,
    reward: config.reward,
    architecture: checkpoint.architecture,
    tokenizer: JSON.parse(JSON.stringify(checkpoint.tokenizer)),
    rows: config.train.groupsPerTask * config.train.groupSize,
    weights,
    workerCount: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
  };
}
