import { z } from "zod";

export const multiplierControllers = ["lagrange", "pid"] as const;

const gain = z.number().min(0).max(1_000);

/** What the violations of an agent are driven to, and how the cost multiplier is moved for it. */
export const constraint = z.strictObject({
  violationRate: z
    .number()
    .min(0)
    .max(1)
    .default(0.005)
    .describe("The budget: share of training episodes that may attempt a violation"),
  controller: z
    .enum(multiplierControllers)
    .default("pid")
    .describe("lagrange: λ grows by what the rate exceeds the budget; pid: it also answers the excess and its growth"),
  step: gain.default(5).describe("lagrange: what λ grows by for an excess of 1"),
  proportional: gain.default(10).describe("pid: λ for a smoothed excess of 1"),
  integral: gain.default(1).describe("pid: what λ grows by, an update, for an excess of 1"),
  derivative: gain.default(10).describe("pid: λ for a smoothed rate that grew by 1; one that falls takes nothing away"),
  smoothing: z.number().min(0).max(0.999).default(0.8).describe("pid: weight of the past in the smoothed rate"),
  multiplierMax: z.number().positive().max(1_000).default(20).describe("Largest λ"),
});
export type Constraint = z.output<typeof constraint>;

/** Spread into `train`. */
export const constraintOptions = z.strictObject({
  constraint: constraint
    .optional()
    .describe("Moves the cost multiplier, from costMultiplier on, to a rate of violations; without it, it stays"),
});
