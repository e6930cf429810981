import { init, jit, nn, numpy as np, tree, vjp } from "@jax-js/jax";
import type { Trajectory } from "../../src/core/trajectory.ts";
import { type Architecture, parameterCount, parameterSlots } from "../../src/model/architecture.ts";
import type { LossDerivative } from "../../src/model/gradient.ts";
import { encodeSequences, loadParameters, type Parameters } from "./autodiff-transformer.ts";

export interface EngineOptions {
  /** The one that trajectories were sampled with: logits are divided by it. */
  readonly temperature: number;
  /** Sequences of one shard. A gradient is always summed over shards of this many rows, so no sum depends on who computes it. Default 16. */
  readonly shardRows?: number;
  /** Lengths are padded to a multiple of this: a larger one wastes more, a smaller one compiles for more shapes. Default 32. */
  readonly lengthStep?: number;
}

type LogProbabilities = (parameters: Parameters, tokens: np.Array, targets: np.Array, promptEnds: np.Array) => np.Array;

/** What `GradientEngine` does, by jax-js's automatic differentiation: the reference that it is held against. */
export class AutodiffEngine {
  readonly #architecture: Architecture;
  readonly #temperature: number;
  readonly #lengthStep: number;
  readonly #shardRows: number;
  readonly #programs = new Map<number, LogProbabilities>();

  private constructor(architecture: Architecture, options: EngineOptions) {
    this.#architecture = architecture;
    this.#temperature = options.temperature;
    this.#lengthStep = options.lengthStep ?? 32;
    this.#shardRows = options.shardRows ?? defaultShardRows;
  }

  static async create(architecture: Architecture, options: EngineOptions): Promise<AutodiffEngine> {
    await init("wasm");
    return new AutodiffEngine(architecture, options);
  }

  /**
   * Gradient of the loss by the weights, summed over the trajectories. Trajectories are cut, longest first, into shards of fixed shape;
   * shards are added in that order.
   */
  gradient(weights: Float32Array, trajectories: readonly Trajectory[], derive: LossDerivative): Float32Array {
    const sum = new Float32Array(parameterCount(this.#architecture));
    const parameters = loadParameters(this.#architecture, weights);
    for (const rows of this.#shards(trajectories)) this.#addShard(sum, parameters, trajectories, rows, derive);
    tree.dispose(parameters);
    return sum;
  }

  /** Log-probability of every chosen token of each trajectory, in order. */
  logProbabilities(weights: Float32Array, trajectories: readonly Trajectory[]): Float64Array[] {
    const found: Float64Array[] = new Array(trajectories.length);
    const parameters = loadParameters(this.#architecture, weights);
    for (const rows of this.#shards(trajectories)) {
      const shard = new Shard(trajectories, rows, {
        ...{ shardRows: this.#shardRows, lengthStep: this.#lengthStep },
        whole: this.#architecture.promptAttention === "whole",
      });
      const values = this.#program(shard.length)(tree.ref(parameters), shard.tokens, shard.targets, shard.promptEnds);
      const flat = values.dataSync() as Float32Array;
      rows.forEach((row, place) => {
        found[row] = shard.chosenValues(place, flat);
      });
    }
    tree.dispose(parameters);
    return found;
  }

  #shards(trajectories: readonly Trajectory[]): number[][] {
    return cutIntoShards(trajectories, this.#shardRows);
  }

  #addShard(
    sum: Float32Array,
    parameters: Parameters,
    trajectories: readonly Trajectory[],
    rows: readonly number[],
    derive: LossDerivative,
  ): void {
    const shard = new Shard(trajectories, rows, {
      ...{ shardRows: this.#shardRows, lengthStep: this.#lengthStep },
      whole: this.#architecture.promptAttention === "whole",
    });
    const program = this.#program(shard.length);
    const [values, pullback] = vjp(
      (traced: Parameters) => program(traced, shard.tokens.ref, shard.targets.ref, shard.promptEnds.ref),
      [tree.ref(parameters)],
    );
    const cotangent = shard.cotangent(values.dataSync() as Float32Array, rows, derive);
    const [gradients] = pullback(np.array(cotangent)) as unknown as [Parameters];
    for (const { name, offset, size } of parameterSlots(this.#architecture)) {
      const part = (gradients[name] as np.Array).dataSync();
      for (let index = 0; index < size; index++)
        sum[offset + index] = (sum[offset + index] as number) + (part[index] as number);
    }
    pullback.dispose();
    shard.dispose();
  }

  #program(length: number): LogProbabilities {
    let program = this.#programs.get(length);
    if (!program) {
      program = jit((parameters: Parameters, tokens: np.Array, targets: np.Array, promptEnds: np.Array) =>
        tokenLogProbabilities(this.#architecture, parameters, { tokens, targets, promptEnds }, this.#temperature),
      ) as LogProbabilities;
      this.#programs.set(length, program);
    }
    return program;
  }
}

/** Rows of every shard where nothing else is said. */
const defaultShardRows = 16;

/** Indices of the trajectories, longest first, in shards of at most so many. */
function cutIntoShards(trajectories: readonly Trajectory[], shardRows: number): number[][] {
  const order = trajectories.map((_, row) => row);
  order.sort((a, b) => lengthOf(trajectories, b) - lengthOf(trajectories, a) || a - b);
  return Array.from({ length: Math.ceil(order.length / shardRows) }, (_, shard) =>
    order.slice(shard * shardRows, (shard + 1) * shardRows),
  );
}

/** log softmax(logits / temperature) at the token that follows each position: [rows · length]. */
function tokenLogProbabilities(
  architecture: Architecture,
  parameters: Parameters,
  sequences: { readonly tokens: np.Array; readonly targets: np.Array; readonly promptEnds: np.Array },
  temperature: number,
): np.Array {
  const { tokens, targets, promptEnds } = sequences;
  const [rows, length] = tokens.shape as [number, number];
  const { width, vocabularySize } = architecture;
  const embedding = parameters.embedding as np.Array;
  const { hidden, caches } = encodeSequences(
    architecture,
    { ...parameters, embedding: embedding.ref },
    tokens,
    promptEnds,
  );
  tree.dispose(caches);
  const logits = np.matmul(hidden.reshape([rows * length, width]), embedding.transpose()).mul(1 / temperature);
  const normaliser = nn.logsumexp(logits.ref, -1);
  const isTarget = np.equal(
    np.arange(vocabularySize).reshape([1, vocabularySize]),
    targets.reshape([rows * length, 1]),
  );
  return np.where(isTarget, logits, 0).sum(-1).sub(normaliser);
}

/** Some trajectories padded to one shape. */
class Shard {
  readonly length: number;
  readonly tokens: np.Array;
  readonly targets: np.Array;
  readonly promptEnds: np.Array;
  readonly #rows: number;
  /** For each row, the flat positions whose target was chosen. */
  readonly #chosen: readonly number[][];

  constructor(
    trajectories: readonly Trajectory[],
    rows: readonly number[],
    { shardRows, lengthStep, whole }: { shardRows: number; lengthStep: number; whole: boolean },
  ) {
    this.#rows = shardRows;
    const longest = rows.reduce((length, row) => Math.max(length, lengthOf(trajectories, row)), 1);
    this.length = Math.ceil(longest / lengthStep) * lengthStep;
    const tokens = new Int32Array(shardRows * this.length);
    const targets = new Int32Array(shardRows * this.length);
    this.#chosen = rows.map((row, place) => {
      const trajectory = trajectories[row] as Trajectory;
      const start = place * this.length;
      tokens.set(trajectory.tokens, start);
      targets.set(trajectory.tokens.subarray(1), start);
      return chosenPositions(trajectory).map((position) => start + position - 1);
    });
    this.tokens = np.array(tokens).reshape([shardRows, this.length]);
    this.targets = np.array(targets).reshape([shardRows, this.length]);
    const ends = new Int32Array(shardRows).fill(-1);
    if (whole) ends.set(rows.map((row) => (trajectories[row] as Trajectory).chosen.indexOf(1) - 1));
    this.promptEnds = np.array(ends);
  }

  chosenValues(place: number, values: Float32Array): Float64Array {
    return Float64Array.from(this.#chosen[place] as number[], (position) => values[position] as number);
  }

  cotangent(values: Float32Array, rows: readonly number[], derive: LossDerivative): Float32Array<ArrayBuffer> {
    const cotangent = new Float32Array(this.#rows * this.length);
    rows.forEach((row, place) => {
      const logProbabilities = this.chosenValues(place, values);
      const derivative = new Float64Array(logProbabilities.length);
      derive(row, logProbabilities, derivative);
      (this.#chosen[place] as number[]).forEach((position, index) => {
        cotangent[position] = derivative[index] as number;
      });
    });
    return cotangent;
  }

  dispose(): void {
    this.tokens.dispose();
    this.targets.dispose();
    this.promptEnds.dispose();
  }
}

function lengthOf(trajectories: readonly Trajectory[], row: number): number {
  return (trajectories[row] as Trajectory).tokens.length;
}

/** Positions of chosen tokens; the first token of a sequence is never chosen, since nothing stands before it. */
function chosenPositions({ chosen }: Trajectory): number[] {
  const positions: number[] = [];
  for (let position = 1; position < chosen.length; position++) if (chosen[position] === 1) positions.push(position);
  return positions;
}
