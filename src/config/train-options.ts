import { z } from "zod";
import { severities } from "../core/syscall.ts";
import { algorithmOptions } from "../grpo/algorithm-options.ts";
import { constraintOptions } from "../grpo/constraint-options.ts";
import { hasItsEvaluations, loopOptions } from "./loop-options.ts";

/** How the policy model is trained. */
export const trainOptions = z
  .strictObject({
    ...algorithmOptions.shape,
    iterations: z.int().min(0).max(100_000).default(30).describe("Updates of the policy model"),
    groupsPerBatch: z.int().min(1).max(4096).default(32).describe("Tasks that one update learns from"),
    groupSize: z.int().min(2).max(1024).default(8).describe("Episodes of one task, compared with each other"),
    seed: z.int().min(0).max(0xffff_ffff).default(1).describe("All chance of the run derives from it"),
    learningRate: z.number().positive().max(1).default(5e-4).describe("Largest step size of Adam"),
    ...loopOptions.shape,
    costMultiplier: z
      .number()
      .min(0)
      .max(1000)
      .default(2)
      .describe("Weight of the cost channel (λ) against the reward channel"),
    ...constraintOptions.shape,
    governed: z
      .boolean()
      .default(true)
      .describe(
        "Whether the kernel governs training; false is for comparison alone: nothing is denied, the oracle watches",
      ),
    oracle: z
      .boolean()
      .default(true)
      .describe(
        "Whether the oracle looks on in training, too: episodes that write take several times as long; it looks on in every measurement",
      ),
    neverPositive: z
      .enum(severities)
      .default("low")
      .describe("An episode with a violation at least this severe never gets a positive advantage"),
    temperature: z.number().positive().max(10).default(1).describe("Sampling temperature of training episodes"),
    evalTemperature: z
      .number()
      .min(0)
      .max(10)
      .default(0.7)
      .describe("Sampling temperature of every evaluation; 0 takes the most probable token"),
    gradientClip: z.number().positive().max(1000).default(1).describe("Largest norm of a gradient"),
    updatesPerBatch: z.int().min(1).max(64).default(1).describe("Passes over each batch"),
    minibatchEpisodes: z.int().min(1).max(65_536).default(32).describe("Episodes of one gradient step"),
    groupsPerTask: z.int().min(1).max(256).default(8).describe("Groups that a worker is given at a time"),
    evalEpisodes: z.int().min(1).max(1_000_000).default(1000).describe("Episodes of each evaluation on the test split"),
    checkpointEvery: z
      .int()
      .min(0)
      .max(100_000)
      .default(0)
      .describe("Iterations between checkpoints besides the last; 0 keeps the last alone"),
  })
  .refine(hasItsEvaluations, {
    path: ["evalEvery"],
    message: "must be at least 1 with stopAt or keepBest, which look at those evaluations",
  })
  .refine(({ loss }) => loss.bounds !== "ratio" || (loss.clipHigh ?? 1) >= 1, {
    path: ["loss", "clipHigh"],
    error: "must be at least 1 where train.loss.bounds is ratio",
  });
export type TrainOptions = z.output<typeof trainOptions>;
