import { init, jit, numpy as np, tree, valueAndGrad, vjp } from "@jax-js/jax";
import type { Trajectory } from "../core/trajectory.ts";
import { type Architecture, parameterCount, parameterSlots } from "./architecture.ts";
import { type Dropout, dropoutFactors } from "./dropout.ts";
import { targetLogProbabilities } from "./next-token.ts";
import { loadParameters, type Parameters } from "./parameters.ts";
import { causalPairs, encodeSequences } from "./transformer.ts";

/**
 * What the loss asks of one sequence: given the log-probability of every chosen token, in order, writes the loss's derivative by each.
 * @param row Index of the sequence in the call.
 */
export type LossDerivative = (row: number, logProbabilities: Float64Array, derivative: Float64Array) => void;

export interface EngineOptions {
  /** The one that trajectories were sampled with: logits are divided by it. */
  readonly temperature: number;
  /** Sequences of one shard. A gradient is always summed over shards of this many rows, so no sum depends on who computes it. Default 16. */
  readonly shardRows?: number;
  /** Lengths are padded to a multiple of this: a larger one wastes more, a smaller one compiles for more shapes. Default 32. */
  readonly lengthStep?: number;
}

type LogProbabilities = (
  parameters: Parameters,
  tokens: np.Array,
  targets: np.Array,
  promptEnds: np.Array,
  dropout: np.Array[],
) => np.Array;

type CrossEntropy = (
  parameters: Parameters,
  tokens: np.Array,
  targets: np.Array,
  promptEnds: np.Array,
  dropout: np.Array[],
  shares: np.Array,
) => [np.Array, Parameters];

/** Log-probabilities of trajectories under given weights, and gradients of any loss that is a function of them. */
export class GradientEngine {
  readonly #architecture: Architecture;
  readonly #temperature: number;
  readonly #lengthStep: number;
  readonly #shardRows: number;
  readonly #gradientPrograms = new Map<string, CrossEntropy>();
  readonly #programs = new Map<string, LogProbabilities>();

  private constructor(architecture: Architecture, options: EngineOptions) {
    this.#architecture = architecture;
    this.#temperature = options.temperature;
    this.#lengthStep = options.lengthStep ?? 32;
    this.#shardRows = options.shardRows ?? defaultShardRows;
  }

  static async create(architecture: Architecture, options: EngineOptions): Promise<GradientEngine> {
    await init("wasm");
    return new GradientEngine(architecture, options);
  }

  /**
   * Gradient of the loss by the weights, summed over the trajectories. Trajectories are cut, longest first, into shards of fixed shape;
   * shards are added in that order.
   * @param dropout What the network forgets while it learns; nothing where it is absent.
   */
  gradient(
    weights: Float32Array,
    trajectories: readonly Trajectory[],
    derive: LossDerivative,
    dropout?: Dropout,
  ): Float32Array {
    const sum = new Float32Array(parameterCount(this.#architecture));
    const parameters = loadParameters(this.#architecture, weights);
    for (const rows of this.#shards(trajectories)) {
      this.#addShard(sum, parameters, { trajectories, rows, derive, dropout });
    }
    tree.dispose(parameters);
    return sum;
  }

  /** Log-probability of every chosen token of each trajectory, in order. */
  logProbabilities(weights: Float32Array, trajectories: readonly Trajectory[]): Float64Array[] {
    const found: Float64Array[] = new Array(trajectories.length);
    const parameters = loadParameters(this.#architecture, weights);
    for (const rows of this.#shards(trajectories)) {
      const shard = new Shard(trajectories, rows, { shardRows: this.#shardRows, lengthStep: this.#lengthStep });
      const values = this.#program(shard.length, false)(
        tree.ref(parameters),
        shard.tokens,
        shard.targets,
        shard.promptEnds,
        [],
      );
      const flat = values.dataSync() as Float32Array;
      rows.forEach((row, place) => {
        found[row] = shard.chosenValues(place, flat);
      });
    }
    tree.dispose(parameters);
    return found;
  }

  /**
   * Gradient of the cross-entropy of what was chosen, over so many tokens, and the log-probabilities: one program, which is faster than
   * {@link gradient}, whose loss can be any.
   */
  crossEntropy(
    weights: Float32Array,
    trajectories: readonly Trajectory[],
    { tokens, dropout }: { readonly tokens: number; readonly dropout: Dropout | undefined },
  ): { readonly gradient: Float32Array; readonly logProbabilities: Float64Array[] } {
    const gradient = new Float32Array(parameterCount(this.#architecture));
    const logProbabilities: Float64Array[] = new Array(trajectories.length);
    const parameters = loadParameters(this.#architecture, weights);
    for (const rows of this.#shards(trajectories)) {
      const shard = new Shard(trajectories, rows, { shardRows: this.#shardRows, lengthStep: this.#lengthStep });
      const size = { rows: this.#shardRows, length: shard.length };
      const factors = dropout === undefined ? [] : dropoutFactors(this.#architecture, size, dropout);
      const shares = np.array(
        shard.cotangent(new Float32Array(size.rows * size.length), rows, (_, __, derivative) =>
          derivative.fill(-1 / tokens),
        ),
      );
      const program = this.#gradientProgram(shard.length, dropout !== undefined);
      const [values, parts] = program(
        tree.ref(parameters),
        shard.tokens,
        shard.targets,
        shard.promptEnds,
        factors,
        shares,
      );
      const flat = values.dataSync() as Float32Array;
      rows.forEach((row, place) => {
        logProbabilities[row] = shard.chosenValues(place, flat);
      });
      this.#add(gradient, parts);
    }
    tree.dispose(parameters);
    return { gradient, logProbabilities };
  }

  #add(sum: Float32Array, parts: Parameters): void {
    for (const { name, offset, size } of parameterSlots(this.#architecture)) {
      const part = (parts[name] as np.Array).dataSync();
      for (let index = 0; index < size; index++)
        sum[offset + index] = (sum[offset + index] as number) + (part[index] as number);
    }
  }

  #gradientProgram(length: number, drops: boolean): CrossEntropy {
    const key = `${length} ${drops}`;
    let program = this.#gradientPrograms.get(key);
    if (!program) {
      program = jit(
        (
          parameters: Parameters,
          tokens: np.Array,
          targets: np.Array,
          promptEnds: np.Array,
          dropout: np.Array[],
          shares: np.Array,
        ) => {
          const loss = (traced: Parameters): [np.Array, np.Array] => {
            const values = tokenLogProbabilities(this.#architecture, traced, {
              ...{ tokens, targets, promptEnds, dropout },
              temperature: this.#temperature,
            });
            return [values.ref.mul(shares).sum(), values];
          };
          const [[total, values], gradients] = valueAndGrad(loss, { hasAux: true })(parameters);
          (total as np.Array).dispose();
          return [values, gradients];
        },
      ) as unknown as CrossEntropy;
      this.#gradientPrograms.set(key, program);
    }
    return program;
  }

  #shards(trajectories: readonly Trajectory[]): number[][] {
    return cutIntoShards(trajectories, this.#shardRows);
  }

  #addShard(
    sum: Float32Array,
    parameters: Parameters,
    call: {
      readonly trajectories: readonly Trajectory[];
      readonly rows: readonly number[];
      readonly derive: LossDerivative;
      readonly dropout: Dropout | undefined;
    },
  ): void {
    const { trajectories, rows, derive, dropout } = call;
    const shard = new Shard(trajectories, rows, { shardRows: this.#shardRows, lengthStep: this.#lengthStep });
    const program = this.#program(shard.length, dropout !== undefined);
    const size = { rows: this.#shardRows, length: shard.length };
    const factors = dropout === undefined ? [] : dropoutFactors(this.#architecture, size, dropout);
    const [values, pullback] = vjp(
      (traced: Parameters) =>
        program(traced, shard.tokens.ref, shard.targets.ref, shard.promptEnds.ref, tree.ref(factors)),
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
    tree.dispose(factors);
    shard.dispose();
  }

  #program(length: number, drops: boolean): LogProbabilities {
    const key = `${length} ${drops}`;
    let program = this.#programs.get(key);
    if (!program) {
      program = jit(
        (parameters: Parameters, tokens: np.Array, targets: np.Array, promptEnds: np.Array, dropout: np.Array[]) =>
          tokenLogProbabilities(this.#architecture, parameters, {
            ...{ tokens, targets, promptEnds, dropout },
            temperature: this.#temperature,
          }),
      ) as LogProbabilities;
      this.#programs.set(key, program);
    }
    return program;
  }
}

/** Rows of every shard where nothing else is said. */
export const defaultShardRows = 16;

/** Indices of the trajectories, longest first, in shards of at most so many. */
export function cutIntoShards(trajectories: readonly Trajectory[], shardRows: number): number[][] {
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
  input: {
    readonly tokens: np.Array;
    readonly targets: np.Array;
    readonly promptEnds: np.Array;
    readonly dropout: readonly np.Array[];
    readonly temperature: number;
  },
): np.Array {
  const { targets, temperature, ...given } = input;
  const [, length] = given.tokens.shape as [number, number];
  const { layers } = architecture;
  const embedding = (parameters.embedding as np.Array).ref;
  const { hidden, caches } = encodeSequences(architecture, { ...parameters, embedding }, given);
  tree.dispose(caches.slice(0, layers));
  const cache = caches[layers];
  const seen = cache && { cache, visible: causalPairs(length).reshape([1, length, length]) };
  return targetLogProbabilities(architecture, parameters, { hidden, targets, temperature }, seen);
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
    { shardRows, lengthStep }: { shardRows: number; lengthStep: number },
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
    const promptEnds = new Int32Array(shardRows);
    rows.forEach((row, place) => {
      promptEnds[place] = promptEnd(trajectories[row] as Trajectory);
    });
    this.promptEnds = np.array(promptEnds);
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

/** The last position before the first action; of a trajectory without one, its last. */
function promptEnd({ chosen }: Trajectory): number {
  const first = chosen.indexOf(1);
  return (first < 0 ? chosen.length : Math.max(1, first)) - 1;
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
