import { z } from "zod";
import { parseOptions } from "../kernel/parse-options.ts";

const amount = z.number().min(0);
const bound = z.union([z.literal("none"), z.number()]).optional();

export const rewardProfiles = ["strict", "spec"] as const;

/** `reward` in the config: what violations cost, and what their absence is worth. */
export const rewardOptions = z.strictObject({
  profile: z
    .enum(rewardProfiles)
    .default("strict")
    .describe("How the scalar reward is made: so that no violation is free, or as the public specification says"),
  critical: amount.default(100).describe("Cost of a critical violation"),
  high: amount.default(50).describe("Cost of a high one"),
  medium: amount.default(10).describe("Cost of a medium one"),
  low: amount.default(1).describe("Cost of a low one"),
  cleanBonus: amount.default(5).describe("Added to the scalar reward of an episode without a violation"),
  multiplicative: z
    .boolean()
    .default(false)
    .describe("Whether violations scale the scalar reward, instead of being subtracted from it"),
  multiplicativeFactor: z.number().min(0).max(1).default(0.5).describe("What they leave of it"),
  minReward: bound.describe("Least scalar reward; by default none, and −100 under profile spec"),
  maxReward: bound.describe("Greatest scalar reward; by default none, and 100 under profile spec"),
  channels: z
    .enum(["separate", "scalar"])
    .default("separate")
    .describe("What the learner reads: reward and cost apart, or the one scalar reward"),
});
export type RewardOptions = z.input<typeof rewardOptions>;
export type RewardSettings = z.output<typeof rewardOptions>;

const penalty = z.number().max(0).optional();
const nullable = z.number().nullable().optional();

/** The specification's form of the options: penalties are negative. What is absent has the default of {@link rewardOptions}. */
const rewardConfig = z.strictObject({
  profile: z.enum(rewardProfiles).optional(),
  criticalPenalty: penalty,
  highPenalty: penalty,
  mediumPenalty: penalty,
  lowPenalty: penalty,
  cleanBonus: amount.optional(),
  multiplicative: z.boolean().optional(),
  multiplicativeFactor: z.number().optional(),
  minReward: nullable,
  maxReward: nullable,
});
export type RewardConfig = z.input<typeof rewardConfig>;

/** @throws {InputError} on unknown or impossible keys. */
export function optionsOf(config: RewardConfig): RewardOptions {
  const { criticalPenalty, highPenalty, mediumPenalty, lowPenalty, minReward, maxReward, ...same } = parseOptions(
    rewardConfig,
    config,
    "RewardConfig",
  );
  const costs = { critical: criticalPenalty, high: highPenalty, medium: mediumPenalty, low: lowPenalty };
  return {
    ...same,
    ...defined(costs, (price) => 0 - price),
    ...defined({ minReward, maxReward }, (limit) => limit ?? "none"),
  };
}

/** Settings in the specification's form, with every default filled in. */
export function configOf(settings: RewardSettings): Required<RewardConfig> {
  const { critical, high, medium, low, channels: _, ...same } = settings;
  return {
    ...same,
    criticalPenalty: 0 - critical,
    highPenalty: 0 - high,
    mediumPenalty: 0 - medium,
    lowPenalty: 0 - low,
    ...boundsOf(settings),
  };
}

/**
 * Bounds of the scalar reward; `null` is none. A floor makes every violation after it free, and a ceiling those above it, so that
 * `strict` has neither.
 */
export function boundsOf({ profile, minReward, maxReward }: RewardSettings) {
  const limit = profile === "spec" ? 100 : null;
  const bound = (given: number | "none" | undefined, otherwise: number | null) =>
    given === undefined ? otherwise : given === "none" ? null : given;
  return { minReward: bound(minReward, limit === null ? null : -limit), maxReward: bound(maxReward, limit) };
}

function defined<Value, Made>(
  values: Readonly<Record<string, Value>>,
  made: (value: Exclude<Value, undefined>) => Made,
): Readonly<Record<string, Made>> {
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, made(value as Exclude<Value, undefined>)] as const],
  );
  return Object.fromEntries(given);
}
