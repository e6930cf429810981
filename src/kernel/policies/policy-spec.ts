import { z } from "zod";
import type { Policy } from "../policy.ts";
import { BudgetPolicy, budgetPolicyOptions } from "./budget-policy.ts";
import { ContentPolicy, contentPolicyOptions } from "./content-policy.ts";
import { CustomPolicy, customPolicyOptions } from "./custom-policy.ts";
import { RatePolicy, ratePolicyOptions } from "./rate-policy.ts";
import { SequencePolicy, sequencePolicyOptions } from "./sequence-policy.ts";
import { SQLPolicy, sqlPolicyOptions } from "./sql-policy.ts";
import { ToolsPolicy, toolsPolicyOptions } from "./tools-policy.ts";

/** One entry of `kernel.policies`; unknown types, fields and rule names are errors. */
export const policySpec = z.discriminatedUnion("type", [
  sqlPolicyOptions.extend({ type: z.literal("sql") }),
  budgetPolicyOptions.extend({ type: z.literal("budget") }),
  ratePolicyOptions.extend({ type: z.literal("rate") }),
  toolsPolicyOptions.extend({ type: z.literal("tools") }),
  contentPolicyOptions.safeExtend({ type: z.literal("content") }),
  sequencePolicyOptions.extend({ type: z.literal("sequence") }),
  customPolicyOptions.extend({ type: z.literal("custom") }),
]);
export type PolicySpec = z.input<typeof policySpec>;
export type ResolvedPolicySpec = z.output<typeof policySpec>;

export function createPolicy({ type, ...options }: ResolvedPolicySpec): Policy {
  // The options fit the type: the union has just been parsed.
  return makers[type](options as never);
}

const makers = {
  sql: (options: never) => new SQLPolicy(options),
  budget: (options: never) => new BudgetPolicy(options),
  rate: (options: never) => new RatePolicy(options),
  tools: (options: never) => new ToolsPolicy(options),
  content: (options: never) => new ContentPolicy(options),
  sequence: (options: never) => new SequencePolicy(options),
  custom: (options: never) => new CustomPolicy(options),
} satisfies Record<ResolvedPolicySpec["type"], (options: never) => Policy>;

/** Classes of policies that ship, whose judges are trusted to answer as they must. */
export const shippedPolicies = [
  ...[SQLPolicy, BudgetPolicy, RatePolicy, ToolsPolicy, ContentPolicy, SequencePolicy, CustomPolicy],
] as const;
