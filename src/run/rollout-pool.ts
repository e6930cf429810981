import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import type { ResolvedConfig } from "../config/config-schema.ts";
import type { AgentSignal } from "../core/audit.ts";
import { KernelSpace } from "../kernel/kernel-space.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { workerFile } from "../pool/worker-file.ts";
import { WorkerPool } from "../pool/worker-pool.ts";
import { Dispatcher, type DispatcherOptions, type FinishedBatch } from "./dispatch.ts";
import type { GradientSource } from "./learn.ts";
import type { BatchPlan } from "./plan.ts";
import {
  learnerSlot,
  policySlot,
  type RolloutResult,
  type RolloutSetup,
  type RolloutTask,
  type SharedWeightsMemory,
  shareWeights,
  type WorkerTask,
  weightsAt,
} from "./rollout.ts";
import { SignalBoard, signalBoardMemory } from "./signal-board.ts";
import type { SurrogateGradient, SurrogateShard } from "./surrogate.ts";

/** The workers of one run and the weights that they share with it: they roll out, and they differentiate. */
export class RolloutPool implements GradientSource, AsyncDisposable {
  readonly #pool: WorkerPool<WorkerTask, RolloutResult | SurrogateGradient>;
  readonly #dispatcher: Dispatcher;
  /** `null` where an agent acts that is not the policy model. */
  readonly #weights: SharedWeightsMemory | null;
  readonly #signals: SignalBoard;
  /** Counts the learner's steps. */
  #step = 0;
  /** Updates of the newest policy. */
  #updates = 0;

  /**
   * @param checkpoint The policy model; `null` where the config has an agent, which then acts.
   * @param onFailure Told why a task failed in a worker, each time.
   * @param recorders `epoch`: of the workers' recorders, more than 0 where a run is resumed; `timed`: whether they say when.
   */
  constructor(
    config: ResolvedConfig,
    checkpoint: Checkpoint | null,
    onFailure: (message: string) => void,
    recorders: Partial<Pick<RolloutSetup, "epoch" | "timed">> = {},
  ) {
    // The policies that may be sampled from while the next is written.
    this.#weights = checkpoint === null ? null : shareWeights(checkpoint.weights, stalenessOf(config) + 2);
    const actor = actorOf(config, checkpoint, this.#weights);
    const setup = { ...setupOf(config, actor), ...recorders };
    this.#signals = new SignalBoard(setup.signals);
    const workers = workerCountOf(config);
    this.#pool = new WorkerPool({
      file: workerFile("rollout"),
      workers,
      setup,
    });
    const run: DispatcherOptions["run"] = (rollout, options) =>
      this.#ask<RolloutResult>({ kind: "rollout", rollout, slot: this.#slotOf(rollout) }, options);
    this.#dispatcher = new Dispatcher({ run, workers, onFailure });
  }

  /** Gradients from here on are those of these weights. None of older ones than the last may still be under way. */
  publish(weights: Float32Array): void {
    this.#step++;
    weightsAt(this.#policyWeights, learnerSlot(this.#step)).set(weights);
  }

  /**
   * From here on, the policy that has had so many updates can be rolled out. The newest is published last; as many before it stay as
   * `train.async` may ask for.
   */
  publishPolicy(updates: number, weights: Float32Array): void {
    this.#updates = updates;
    weightsAt(this.#policyWeights, policySlot(this.#policyWeights, updates)).set(weights);
  }

  gradients(shards: readonly SurrogateShard[]): Promise<SurrogateGradient[]> {
    return Promise.all(
      shards.map((shard) => {
        const step = this.#step;
        const ask = () => this.#ask<SurrogateGradient>({ kind: "gradient", shard, step, slot: learnerSlot(step) });
        return ask().catch(ask);
      }),
    );
  }

  /**
   * Sends a signal to an episode of this run, begun or not; one that has ended takes no notice.
   * @param episode Its name in the run, such as `train-3-0-7`.
   */
  signal(episode: string, signal: AgentSignal): void {
    const slot = this.#signals.post(episode, signal);
    if (signal === "SIGKILL") this.#dispatcher.kill(episode, () => this.#signals.taken(slot));
  }

  /** Workers that live, for whoever measures them. */
  get threads(): readonly Worker[] {
    return this.#pool.threads;
  }

  run(plan: BatchPlan): Promise<FinishedBatch> {
    return this.#dispatcher.batch(plan);
  }

  get #policyWeights(): SharedWeightsMemory {
    if (this.#weights === null) throw new Error("RolloutPool: there is no policy model, the config has an agent");
    return this.#weights;
  }

  #slotOf({ weights }: RolloutTask): number {
    if (this.#weights === null) return 0;
    const age = this.#updates - weights;
    if (age < 0 || age >= this.#weights.policies - 1)
      throw new RangeError(`policy ${weights} was asked for, ${this.#updates} is the newest`);
    return policySlot(this.#weights, weights);
  }

  #ask<Answer extends RolloutResult | SurrogateGradient>(
    task: WorkerTask,
    options?: { readonly signal: AbortSignal },
  ): Promise<Answer> {
    return this.#pool.run(task, options) as Promise<Answer>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }
}

/** How many updates older than the newest policy the one may be that is sampled from. */
export function stalenessOf({ train }: Pick<ResolvedConfig, "train">): number {
  return train.async?.stalenessMax ?? 0;
}

export function workerCountOf({ workers }: ResolvedConfig): number {
  return workers === "auto" ? availableParallelism() : workers;
}

/** Who acts in the workers: the config's agent, else the policy model of the checkpoint with these weights. */
export function actorOf(
  { agent, train }: ResolvedConfig,
  checkpoint: Checkpoint | null,
  weights: SharedWeightsMemory | null,
): RolloutSetup["actor"] {
  if (agent !== undefined) return { agent };
  if (checkpoint === null || weights === null)
    throw new Error("RolloutPool: without an agent, a policy model must act");
  const { architecture, tokenizer } = checkpoint;
  return {
    policy: {
      architecture,
      tokenizer: JSON.parse(JSON.stringify(tokenizer)),
      rows: train.groupsPerTask * train.groupSize,
      weights,
      temperature: train.temperature,
    },
  };
}

/** What every worker of a run is given. */
export function setupOf(config: ResolvedConfig, actor: RolloutSetup["actor"]): RolloutSetup {
  return {
    actor,
    env: config.env,
    baseDir: config.baseDir,
    kernel: new KernelSpace(config.kernel).spec,
    runner: config.runner,
    reward: config.reward,
    epoch: 0,
    timed: false,
    workerCount: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
    signals: signalBoardMemory(),
  };
}
