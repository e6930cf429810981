import { deriveSeed } from "../core/random.ts";
import type { Trajectory } from "../core/trajectory.ts";
import type { Architecture } from "./architecture.ts";
import { type Dropout, Tape } from "./tape.ts";

/**
 * What the loss asks of one sequence: given the log-probability of every chosen token, in order, writes the loss's derivative by each.
 * @param row Index of the sequence in the call.
 * @param entropy Where entropies are asked for: that of the distribution that each token was chosen from, and room for the derivative by it.
 */
export type LossDerivative = (
  row: number,
  logProbabilities: Float64Array,
  derivative: Float64Array,
  entropy?: { readonly values: Float64Array; readonly derivative: Float64Array },
) => void;

export interface GradientOptions {
  /** What the network forgets meanwhile; nothing where it is absent. */
  readonly dropout?: Dropout | undefined;
  /** Whether the loss is one of entropies too. */
  readonly entropy?: boolean;
  /** Number of the weights: what was computed with last is not copied again. */
  readonly revision?: number;
}

/** Log-probabilities of trajectories under given weights, and gradients of any loss that is a function of them. */
export class GradientEngine {
  readonly #tape: Tape;
  /** Of the weights that the tape holds, where whoever gave them said. */
  #revision: number | undefined;

  /** @param options.temperature The one that trajectories were sampled with: logits are divided by it. */
  constructor(architecture: Architecture, options: { readonly temperature: number }) {
    this.#tape = new Tape(architecture, options);
  }

  /** Gradient of the loss by the weights, summed over the trajectories in their order. */
  gradient(
    weights: Float32Array,
    trajectories: readonly Trajectory[],
    derive: LossDerivative,
    { dropout, entropy = false, revision }: GradientOptions = {},
  ): Float32Array {
    const tape = this.#tape;
    this.#load(weights, revision);
    tape.clearGradient();
    for (const [pass, rows] of this.#passes(trajectories).entries()) {
      const values = tape.forward(
        rows.map((row) => trajectories[row] as Trajectory),
        dropout && { ...dropout, seed: deriveSeed(dropout.seed, pass) },
      );
      const entropies = entropy ? tape.entropies() : null;
      const derivatives = values.map((own, place) => {
        const derivative = new Float64Array(own.length);
        const ofEntropy = new Float64Array(own.length);
        const found = entropies && { values: entropies[place] as Float64Array, derivative: ofEntropy };
        derive(rows[place] as number, own, derivative, ...(found ? [found] : []));
        return { derivative, ofEntropy };
      });
      tape.backward(
        derivatives.map(({ derivative }) => derivative),
        entropy ? derivatives.map(({ ofEntropy }) => ofEntropy) : undefined,
      );
    }
    return tape.gradient();
  }

  /** Log-probability of every chosen token of each trajectory, in order. */
  logProbabilities(weights: Float32Array, trajectories: readonly Trajectory[]): Float64Array[] {
    this.#load(weights, undefined);
    return this.#passes(trajectories).flatMap((rows) =>
      this.#tape.forward(rows.map((row) => trajectories[row] as Trajectory)),
    );
  }

  #load(weights: Float32Array, revision: number | undefined): void {
    if (revision === undefined || revision !== this.#revision) this.#tape.setWeights(weights);
    this.#revision = revision;
  }

  /** Indices, one after the other, of as many trajectories at a time as the tape holds. */
  #passes(trajectories: readonly Trajectory[]): number[][] {
    const passes: number[][] = [];
    let room = 0;
    trajectories.forEach(({ tokens }, row) => {
      if (tokens.length > room) {
        passes.push([]);
        room = this.#tape.tokensMax;
      }
      room -= tokens.length;
      passes.at(-1)?.push(row);
    });
    return passes;
  }
}

/**
 * Trajectories of a shard, about: one worker differentiates it. Smaller ones cost more than the better balance of 2 workers is worth (measured: 40
 * ms for 32 trajectories in 2 shards, 42.5 in 4, 44 in 8).
 */
export const trajectoriesOfShard = 16;

/**
 * Indices of the trajectories, dealt out, longest first, to so many shards that each has about as many tokens to learn from: there and
 * back, as players are chosen. Who computes a shard changes nothing.
 */
export function cutIntoShards(trajectories: readonly Trajectory[], count: number): number[][] {
  const lengths = trajectories.map(({ tokens }) => tokens.length);
  const order = lengths.map((_, row) => row).sort((a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b);
  const shards: number[][] = Array.from({ length: count }, () => []);
  order.forEach((row, place) => {
    const lap = Math.floor(place / count);
    const turn = place % count;
    shards[lap % 2 === 0 ? turn : count - 1 - turn]?.push(row);
  });
  return shards.filter((rows) => rows.length > 0);
}
