import { z } from "zod";

export const learningRateSchedules = ["linear", "cosine", "constant"] as const;

const rate = z.number().min(0).max(1);

/** Spread into `train`: how the loop goes over its iterations, and when it ends. */
export const loopOptions = z.strictObject({
  async: z
    .strictObject({
      stalenessMax: z
        .int()
        .min(0)
        .max(16)
        .default(1)
        .describe("Updates that a batch's policy lacks: so many batches are rolled out before the one is learned from"),
    })
    .optional()
    .describe("Rolls out the next batches while one is learned from, with a policy that is so much older"),
  learningRateSchedule: z
    .enum(learningRateSchedules)
    .default("linear")
    .describe("Whether the step size falls to 0 by the last iteration, evenly or as a cosine, or stays"),
  warmup: z
    .int()
    .min(0)
    .max(100_000)
    .default(0)
    .describe("Iterations in which the step size rises to learningRate, before its schedule begins"),
  evalEvery: z
    .int()
    .min(0)
    .max(100_000)
    .default(0)
    .describe("Iterations between evaluations on the val split, or on test where there is no val; 0 makes none"),
  stopAt: z
    .strictObject({
      accuracy: rate.optional().describe("Smallest task accuracy"),
      violationRate: rate.optional().describe("Largest share of episodes that attempt a violation"),
    })
    .refine((target) => target.accuracy !== undefined || target.violationRate !== undefined, {
      message: "must name accuracy, violationRate or both",
    })
    .optional()
    .describe("Ends training at the first evaluation of evalEvery that is as good as all of it"),
  keepBest: z
    .boolean()
    .default(false)
    .describe("Keeps the weights of the best evaluation of evalEvery as checkpoints/best"),
  dynamicSampling: z
    .strictObject({
      refillsMax: z.int().min(1).max(64).default(3).describe("Times that a batch is filled up at most"),
    })
    .optional()
    .describe("Fills a batch up with other tasks for groups without spread in reward or cost, which are left out"),
  incompleteGroups: z
    .enum(["mask", "complete"])
    .default("mask")
    .describe("What becomes of a group with failed episodes: it goes without them, or others are rolled out instead"),
});
export type LoopOptions = z.output<typeof loopOptions>;

/** Options that look at evaluations need some. */
export function hasItsEvaluations({ evalEvery, stopAt, keepBest }: LoopOptions): boolean {
  return evalEvery > 0 || (stopAt === undefined && !keepBest);
}
