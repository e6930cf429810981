import { deriveSeed } from "../core/random.ts";
import { chosenCount, packTrajectories, type Trajectory } from "../core/trajectory.ts";
import type { Architecture } from "../model/architecture.ts";
import { cutIntoShards } from "../model/gradient.ts";
import { workerFile } from "../pool/worker-file.ts";
import { WorkerPool } from "../pool/worker-pool.ts";
import type { CloningAnswer, CloningSetup, CloningTask } from "./cloning-gradient.ts";
import { learnerSlot, type SharedWeightsMemory, shareWeights, weightsAt } from "./rollout.ts";

/** The workers of one cloning: each step's gradient is cut into shards that the batch alone decides, and added in their order. */
export class CloningPool implements AsyncDisposable {
  readonly #pool: WorkerPool<CloningTask, CloningAnswer>;
  readonly #weights: SharedWeightsMemory;
  readonly #shards: number;
  #step = 0;

  constructor(options: {
    readonly architecture: Architecture;
    readonly weights: Float32Array;
    readonly shards: number;
    readonly workers: number;
  }) {
    const { architecture, weights, shards, workers } = options;
    this.#weights = shareWeights(weights, 1);
    this.#shards = shards;
    const setup: CloningSetup = { architecture, weights: this.#weights };
    this.#pool = new WorkerPool({ file: workerFile("cloning"), workers, setup });
  }

  /** What is asked from here on is asked of these weights; nothing that reads older ones than the last may still be under way. */
  publish(weights: Float32Array): void {
    this.#step++;
    weightsAt(this.#weights, learnerSlot(this.#step)).set(weights);
  }

  /** Gradient of the mean cross-entropy, and its sum. */
  async gradient(
    batch: readonly Trajectory[],
    dropout: { readonly rate: number; readonly seed: number },
  ): Promise<{ readonly gradient: Float32Array; readonly loss: number; readonly tokens: number }> {
    const stepTokens = batch.reduce((sum, trajectory) => sum + chosenCount(trajectory), 0);
    const answers = await this.#ask(batch, (trajectories, shard) => ({
      ...{ kind: "gradient", slot: learnerSlot(this.#step), trajectories, stepTokens },
      dropout: dropout.rate === 0 ? undefined : { rate: dropout.rate, seed: deriveSeed(dropout.seed, shard) },
    }));
    const [first, ...rest] = answers.map(({ gradient }) => gradient);
    const sum = first as Float32Array;
    for (const part of rest)
      part.forEach((value, index) => {
        sum[index] = (sum[index] as number) + value;
      });
    const loss = answers.reduce((total, { logProbabilities }) => total - sumOf(logProbabilities), 0);
    return { gradient: sum, loss, tokens: stepTokens };
  }

  /** Log-probabilities of every chosen token of each trajectory. */
  async logProbabilities(trajectories: readonly Trajectory[]): Promise<Float64Array[]> {
    const answers = await this.#ask(trajectories, (columns) => ({
      ...{ kind: "measure", slot: learnerSlot(this.#step), trajectories: columns },
    }));
    const found: Float64Array[] = new Array(trajectories.length);
    this.#cut(trajectories).forEach((rows, shard) => {
      rows.forEach((row, place) => {
        found[row] = answers[shard]?.logProbabilities[place] as Float64Array;
      });
    });
    return found;
  }

  #ask(
    trajectories: readonly Trajectory[],
    taskOf: (columns: ReturnType<typeof packTrajectories>, shard: number) => CloningTask,
  ): Promise<CloningAnswer[]> {
    return Promise.all(
      this.#cut(trajectories).map((rows, shard) =>
        this.#pool.run(taskOf(packTrajectories(rows.map((row) => trajectories[row] as Trajectory)), shard)),
      ),
    );
  }

  /** One shard is added in the order of the batch. */
  #cut(trajectories: readonly Trajectory[]): number[][] {
    return this.#shards === 1 ? [[...trajectories.keys()]] : cutIntoShards(trajectories, this.#shards);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }
}

function sumOf(rows: readonly Float64Array[]): number {
  return rows.reduce((sum, values) => sum + values.reduce((part, value) => part + value, 0), 0);
}
