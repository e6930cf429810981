import { impossible } from "../policies/conditions.ts";
import type { ResolvedPolicySpec } from "../policies/policy-spec.ts";
import type { PastAction, SequenceRule } from "../policies/sequence-policy.ts";
import type { LintContext, LintFinding } from "./lint.ts";
import { lintPatterns } from "./lint-patterns.ts";

type Sequence = Extract<ResolvedPolicySpec, { type: "sequence" }>;

export function lintSequence({ rules }: Sequence, context: LintContext): readonly LintFinding[] {
  return rules.flatMap((rule, index) => lintRule(rule, `rules.${index}`, context));
}

function lintRule(rule: SequenceRule, path: string, context: LintContext): readonly LintFinding[] {
  const { after, until, deny, escalate, warn, when } = rule;
  const never = impossible(when);
  return [
    ...[after].flat().flatMap((action) => lintAction(action, `${path}.after`, context)),
    ...(until === undefined ? [] : lintAction(until, `${path}.until`, context)),
    ...lintPatterns(deny, `${path}.deny`, context),
    ...lintPatterns(escalate, `${path}.escalate`, context),
    ...lintPatterns(warn, `${path}.warn`, context),
    ...(never === null ? [] : [{ path: `${path}.when`, problem: `can never hold: ${never}` }]),
    ...(escalate !== undefined && !context.hasResolver ? [{ path: `${path}.escalate`, problem: noResolver }] : []),
  ];
}

export const noResolver = "denies always: there is no kernel.resolver to decide";

function lintAction(action: PastAction, path: string, context: LintContext): readonly LintFinding[] {
  if (typeof action === "string") return lintPatterns(action, path, context);
  const { syscall, read, write, when } = action;
  const never = impossible(when);
  const tables = [read ?? [], write ?? []].flat().filter((name) => name !== "*");
  const missing = tables.filter((name) => context.tables?.has(name.toLowerCase()) !== true);
  return [
    ...lintPatterns(syscall, path, context),
    ...(never === null ? [] : [{ path: `${path}.when`, problem: `can never hold: ${never}` }]),
    ...missing.map((name) => ({ path, problem: `names a table that the database does not have: ${name}` })),
  ];
}
