import { z } from "zod";
import type { Policy } from "../policy.ts";
import { BudgetPolicy, budgetPolicyOptions } from "./budget-policy.ts";
import { SQLPolicy, sqlPolicyOptions } from "./sql-policy.ts";

/** One entry of `kernel.policies`; unknown types, fields and rule names are errors. */
export const policySpec = z.discriminatedUnion("type", [
  sqlPolicyOptions.extend({ type: z.literal("sql") }),
  budgetPolicyOptions.extend({ type: z.literal("budget") }),
]);
export type PolicySpec = z.input<typeof policySpec>;

export function createPolicy(spec: z.output<typeof policySpec>): Policy {
  switch (spec.type) {
    case "sql": {
      const { type: _, ...options } = spec;
      return new SQLPolicy(options);
    }
    case "budget": {
      const { type: _, ...options } = spec;
      return new BudgetPolicy(options);
    }
    default:
      return spec satisfies never;
  }
}
