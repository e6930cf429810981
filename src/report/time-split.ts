import { z } from "zod";

const seconds = z.number().min(0);

/** Where a run's wall time went, in seconds. */
export const TimeSplit = z.strictObject({
  /** Rollouts of measurements. */
  evaluation: seconds,
  rollout: seconds,
  learn: seconds,
  store: seconds,
  /** What is left: starting workers, writing checkpoints, waiting. 0 where parts overlap so far that they fill the wall time. */
  idle: seconds,
});
export type TimeSplit = z.infer<typeof TimeSplit>;

/** The names of the parts, in the order in which they are shown. */
export const timeParts = ["evaluation", "rollout", "learn", "store", "idle"] as const satisfies (keyof TimeSplit)[];

/**
 * @param curve Iterations with `rolloutSeconds`, `learnSeconds` and `storeSeconds`; where batches overlap with updates, they add up to more
 * than the wall time.
 */
export function timeSplitOf(
  curve: readonly { readonly metrics: Readonly<Record<string, number>> }[],
  { wallSeconds, evaluationSeconds }: { readonly wallSeconds: number; readonly evaluationSeconds: number },
): TimeSplit {
  const sum = (name: string) => curve.reduce((total, { metrics }) => total + (metrics[name] ?? 0), 0);
  const parts = {
    evaluation: evaluationSeconds,
    rollout: sum("rolloutSeconds"),
    learn: sum("learnSeconds"),
    store: sum("storeSeconds"),
  };
  const spent = Object.values(parts).reduce((total, part) => total + part, 0);
  return { ...parts, idle: Math.max(0, wallSeconds - spent) };
}
