import { deriveSeed } from "../core/random.ts";
import type { Trajectory } from "../core/trajectory.ts";
import type { Architecture } from "./architecture.ts";
import { type Dropout, Tape } from "./tape.ts";

/**
 * What the loss asks of one sequence: given the log-probability of every chosen token, in order, writes the loss's derivative by each.
 * @param row Index of the sequence in the call.
 */
export type LossDerivative = (row: number, logProbabilities: Float64Array, derivative: Float64Array) => void;

/** Log-probabilities of trajectories under given weights, and gradients of any loss that is a function of them. */
export class GradientEngine {
  readonly #tape: Tape;

  /** @param options.temperature The one that trajectories were sampled with: logits are divided by it. */
  constructor(architecture: Architecture, options: { readonly temperature: number }) {
    this.#tape = new Tape(architecture, options);
  }

  /** Gradient of the loss by the weights, summed over the trajectories in their order. */
  gradient(
    weights: Float32Array,
    trajectories: readonly Trajectory[],
    derive: LossDerivative,
    dropout?: Dropout,
  ): Float32Array {
    const tape = this.#tape;
    tape.setWeights(weights);
    tape.clearGradient();
    for (const [pass, rows] of this.#passes(trajectories).entries()) {
      const own = dropout && { ...dropout, seed: deriveSeed(dropout.seed, pass) };
      const values = tape.forward(
        rows.map((row) => trajectories[row] as Trajectory),
        own,
      );
      const derivatives = values.map((own, place) => {
        const derivative = new Float64Array(own.length);
        derive(rows[place] as number, own, derivative);
        return derivative;
      });
      tape.backward(derivatives);
    }
    return tape.gradient();
  }

  /** Log-probability of every chosen token of each trajectory, in order. */
  logProbabilities(weights: Float32Array, trajectories: readonly Trajectory[]): Float64Array[] {
    this.#tape.setWeights(weights);
    return this.#passes(trajectories).flatMap((rows) =>
      this.#tape.forward(rows.map((row) => trajectories[row] as Trajectory)),
    );
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

/** Pieces of a minibatch, each of which one worker differentiates. */
export const shardsOfMinibatch = 4;

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
