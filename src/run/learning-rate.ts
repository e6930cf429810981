import type { LoopOptions } from "../config/loop-options.ts";

export interface LearningRateOptions extends Pick<LoopOptions, "learningRateSchedule" | "warmup"> {
  /** The largest step size. */
  readonly learningRate: number;
  readonly iterations: number;
}

/**
 * Step size of an iteration. It rises evenly over `warmup` iterations, is `learningRate` in the one after them, and then falls
 * towards 0, which the iteration after the last would have: evenly, or as half a cosine (Loshchilov and Hutter 2017, without restarts).
 * @param iteration Counts from 1.
 */
export function learningRateAt(iteration: number, options: LearningRateOptions): number {
  const { learningRate, learningRateSchedule, warmup, iterations } = options;
  if (iteration <= warmup) return (learningRate * iteration) / (warmup + 1);
  const done = (iteration - 1 - warmup) / Math.max(1, iterations - warmup);
  switch (learningRateSchedule) {
    case "linear":
      return learningRate * (1 - done);
    case "cosine":
      return (learningRate * (1 + Math.cos(Math.PI * done))) / 2;
    case "constant":
      return learningRate;
    default:
      return learningRateSchedule satisfies never;
  }
}
