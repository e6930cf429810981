import { z } from "zod";

export const estimators = ["grpo", "gdpo", "rloo", "reinforce++", "reinforce++_baseline", "pass@k", "maxrl"] as const;
export const aggregations = ["sequence", "token", "dapo", "dr_grpo"] as const;
export const klEstimators = ["k1", "k2", "k3"] as const;

/** What an advantage is. docs/learning.md has the formulas and their sources. */
export const advantageSettings = z.strictObject({
  estimator: z.enum(estimators).describe("What an episode is compared with"),
  scale: z.enum(["group", "batch", "none"]).describe("Whose standard deviation divides it: grpo, gdpo and pass@k"),
  ddof: z.union([z.literal(0), z.literal(1)]).describe("1: sample deviation, by n − 1; 0: population deviation, by n"),
  epsilon: z.number().min(0).max(1).describe("Added to the divisor"),
  spreadTolerance: z.number().min(0).max(1).describe("A deviation below it counts as none: all advantages are 0"),
});
export type AdvantageSettings = z.output<typeof advantageSettings>;

/** What is minimised, given the advantages. docs/learning.md has the formulas and their sources. */
export const lossSettings = z.strictObject({
  type: z.enum(["clip", "cispo", "sapo"]).describe("How a token's loss follows from its probability ratio"),
  ratio: z.enum(["token", "sequence"]).describe("A ratio for each token, or the episode's geometric mean for all"),
  bounds: z
    .enum(["offset", "ratio"])
    .describe("Whether clipLow and clipHigh are distances from 1, or bounds of the ratio itself"),
  clipLow: z.number().min(0).max(1).describe("Lower bound of the ratio"),
  clipHigh: z.number().min(0).max(1000).describe("Upper bound of the ratio"),
  dualClip: z.number().min(1).max(1000).nullable().describe("Largest ratio where the advantage is negative; null: any"),
  sapoPositive: z.number().positive().max(100).describe("SAPO's temperature where the advantage is positive"),
  sapoNegative: z.number().positive().max(100).describe("SAPO's temperature elsewhere"),
  aggregation: z.enum(aggregations).describe("How the losses of tokens become that of a step"),
  divisor: z.number().positive().max(1e6).describe("Tokens that dr_grpo divides each episode's sum by"),
  klCoefficient: z.number().min(0).max(100).describe("Weight of the divergence from the base policy; 0 is without"),
  klEstimator: z.enum(klEstimators).describe("How that divergence is estimated from the chosen tokens"),
  entropyCoefficient: z.number().min(0).max(100).describe("Weight of the entropy that is rewarded; 0 is without"),
  importanceCap: z
    .number()
    .positive()
    .max(1000)
    .nullable()
    .describe(
      "Corrects for tokens that older weights sampled, by at most this factor; null: ratios are to those weights",
    ),
});
export type LossSettings = z.output<typeof lossSettings>;

export const presetNames = [
  "grpo",
  "dr_grpo",
  "dapo",
  "rloo",
  "gspo",
  "cispo",
  "sapo",
  "gdpo",
  "maxrl",
  "reinforce++",
  "reinforce++_baseline",
] as const;
export type PresetName = (typeof presetNames)[number];

/** The part of `train` that names an algorithm and says what is different about it. */
export const algorithmOptions = z.strictObject({
  algorithm: z
    .enum([...presetNames, "GRPO"])
    .default("grpo")
    .transform((name): PresetName => (name === "GRPO" ? "grpo" : name))
    .describe("Learning algorithm: what train.advantage and train.loss are where they do not say"),
  clipRange: z
    .number()
    .positive()
    .max(1)
    .optional()
    .describe("How far one update may move a probability ratio from 1, both ways; the algorithm's where not given"),
  advantage: advantageSettings
    .partial()
    .prefault({})
    .describe("What an advantage is, where the algorithm's is not wanted"),
  loss: lossSettings.partial().prefault({}).describe("What is minimised, where the algorithm's is not wanted"),
  accumulate: z.int().min(1).max(1024).default(1).describe("Minibatches whose gradients make one step"),
});
export type AlgorithmOptions = z.output<typeof algorithmOptions>;
