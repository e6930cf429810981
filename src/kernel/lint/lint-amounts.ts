import type { ResolvedPolicySpec } from "../policies/policy-spec.ts";
import type { LintContext, LintFinding } from "./lint.ts";
import { lintPatterns } from "./lint-patterns.ts";

type Budget = Extract<ResolvedPolicySpec, { type: "budget" }>;
type Rate = Extract<ResolvedPolicySpec, { type: "rate" }>;

const kinds = ["syscalls", "steps", "bytes", "tokens", "usd"] as const;

/** Budgets and rates: amounts that permit nothing, or everything. */
export function lintAmounts(policy: Budget | Rate, context: LintContext): readonly LintFinding[] {
  return policy.type === "budget" ? lintBudget(policy, context) : lintRate(policy, context);
}

function lintBudget(budget: Budget, context: LintContext): readonly LintFinding[] {
  const zero = kinds.filter((kind) => budget[kind] === 0);
  const priced = Object.keys(budget.prices);
  const countsPrices = budget.tokens !== undefined || budget.usd !== undefined;
  return [
    ...(kinds.every((kind) => budget[kind] === undefined)
      ? [{ path: "syscalls", problem: "is absent, as is every other limit: the budget never ends" }]
      : []),
    ...zero.map((kind) => ({ path: kind, problem: "is 0: a budget of nothing" })),
    ...(priced.length > 0 && !countsPrices
      ? [{ path: "prices", problem: "count towards nothing: neither tokens nor usd is limited" }]
      : []),
    ...priced.flatMap((pattern) => lintPatterns(pattern, `prices.${pattern}`, context)),
    ...(budget.steps !== undefined && context.tables === null
      ? [{ path: "steps", problem: "are taken by a database alone, and there is none" }]
      : []),
  ];
}

function lintRate(rate: Rate, context: LintContext): readonly LintFinding[] {
  return rate.limits.flatMap(({ max, window, syscall }, index) => [
    ...(max >= window
      ? [{ path: `limits.${index}`, problem: `never ends: ${window} syscalls are at most ${max} anyway` }]
      : []),
    ...(max === 0
      ? [{ path: `limits.${index}.max`, problem: "is 0: it denies always, as a tools policy says better" }]
      : []),
    ...lintPatterns(syscall, `limits.${index}.syscall`, context),
  ]);
}
