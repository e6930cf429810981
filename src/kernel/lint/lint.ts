import { isDeepStrictEqual } from "node:util";
import type { ResolvedPolicySpec } from "../policies/policy-spec.ts";
import { lintAmounts } from "./lint-amounts.ts";
import { lintContent } from "./lint-content.ts";
import { lintSequence } from "./lint-sequence.ts";
import { lintSql } from "./lint-sql.ts";
import { lintTools } from "./lint-tools.ts";

/** Something that a policy set says and that does nothing, or not what it seems to. */
export interface LintFinding {
  /** Where, e.g. `kernel.policies.0.tables.orders`. */
  readonly path: string;
  readonly problem: string;
}

/** What a policy set is held against. */
export interface LintContext {
  /** Columns by table, in lower case; `null` where there is no database. */
  readonly tables: ReadonlyMap<string, ReadonlySet<string>> | null;
  /** Every syscall that a driver performs; `null` where they are not known. */
  readonly syscalls: ReadonlySet<string> | null;
  readonly hasResolver: boolean;
}

/** Names rules that can never fire, are shadowed by others, or cannot do what they say. */
export function lint(policies: readonly ResolvedPolicySpec[], context: LintContext): readonly LintFinding[] {
  const found = policies.flatMap((policy, index) => {
    const path = `kernel.policies.${index}`;
    const same = policies.findIndex((other) => isDeepStrictEqual(other, policy));
    if (same < index) return [{ path, problem: `says the same as kernel.policies.${same}` }];
    const off = policy.mode === "off" ? [{ path: `${path}.mode`, problem: "is off: the policy judges nothing" }] : [];
    const own = lintOne(policy, context).map((each) => ({ ...each, path: `${path}.${each.path}` }));
    return [...off, ...own];
  });
  if (!context.hasResolver || policies.some(mayEscalate)) return found;
  return [...found, { path: "kernel.resolver", problem: "is never asked: no policy escalates" }];
}

function lintOne(policy: ResolvedPolicySpec, context: LintContext): readonly LintFinding[] {
  switch (policy.type) {
    case "sql":
      return lintSql(policy, context);
    case "budget":
    case "rate":
      return lintAmounts(policy, context);
    case "tools":
      return lintTools(policy, context);
    case "content":
      return lintContent(policy, context);
    case "sequence":
      return lintSequence(policy, context);
    case "custom":
      // What a module does, only its author knows.
      return [];
    default:
      return policy satisfies never;
  }
}

function mayEscalate(policy: ResolvedPolicySpec): boolean {
  if (policy.type === "custom") return true;
  return (
    (policy.type === "tools" || policy.type === "sequence") &&
    policy.rules.some(({ escalate }) => escalate !== undefined)
  );
}
