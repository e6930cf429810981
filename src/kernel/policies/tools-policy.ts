import { z } from "zod";
import { parseOptions } from "../parse-options.ts";
import { type Call, type Finding, type Judge, noFindings, type Policy } from "../policy.ts";
import { compileConditions, conditions, type Test } from "./conditions.ts";
import { policyMode, severity, syscallPatterns } from "./policy-fields.ts";
import { compilePattern, type SyscallPattern } from "./syscall-pattern.ts";

export const toolDecisions = ["allow", "warn", "escalate", "deny"] as const;
export type ToolDecision = (typeof toolDecisions)[number];

const decides = (what: string) => syscallPatterns.optional().describe(`Syscalls that ${what}, by name or pattern`);

export const toolRule = z
  .strictObject({
    allow: decides("may run"),
    warn: decides("may run, and are told as a violation"),
    escalate: decides("run where the resolver allows it"),
    deny: decides("may not run"),
    when: conditions
      .optional()
      .describe("What must hold of the arguments, by path; else the rule is not about the call"),
    name: z.string().min(1).optional().describe("The rule's name in violations; else what it says"),
    severity: severity.default("medium").describe("Severity of breaking the rule"),
  })
  .refine(
    (rule) => toolDecisions.filter((decision) => rule[decision] !== undefined).length === 1,
    "must have exactly one of allow, warn, escalate and deny",
  );
export type ToolRule = z.output<typeof toolRule>;

export const toolsPolicyOptions = z.strictObject({
  rules: z
    .array(toolRule)
    .min(1)
    .describe(
      "deny beats all; else the most specific that holds decides. Where one allows, what none allows is denied",
    ),
  severity: severity.default("medium").describe("Severity of a call that nothing allows"),
  mode: policyMode,
});
export type ToolsPolicyOptions = z.input<typeof toolsPolicyOptions>;

interface CompiledRule {
  readonly decision: ToolDecision;
  readonly pattern: SyscallPattern;
  readonly when: Test;
  /** The larger, the more specific: the pattern first, then whether it looks at arguments, then the stricter decision. */
  readonly rank: number;
  readonly finding: Finding;
}

/** Rules that a syscall's name selects: denials, and grants from the most specific on. */
interface Selected {
  readonly denials: readonly CompiledRule[];
  readonly grants: readonly CompiledRule[];
}

const selectedMax = 10_000;

/** Which syscalls may be made, by name and by argument. */
export class ToolsPolicy implements Policy {
  readonly name = "tools";
  readonly spec: Policy["spec"];
  readonly #rules: readonly CompiledRule[];
  readonly #grantsSome: boolean;
  readonly #ungranted: (syscall: string) => Finding;
  readonly #selected = new Map<string, Selected>();
  readonly #judge: Judge = Object.freeze({ before: (call: Call) => this.#decide(call) });

  constructor(options: ToolsPolicyOptions) {
    const parsed = parseOptions(toolsPolicyOptions, options, "ToolsPolicy");
    this.spec = Object.freeze({ type: "tools", ...parsed });
    this.#rules = parsed.rules.flatMap(compileRule);
    this.#grantsSome = this.#rules.some(({ decision }) => decision !== "deny");
    this.#ungranted = (syscall) => ({
      ...{ decision: "deny", rule: "not granted", severity: parsed.severity },
      description: `no rule allows ${JSON.stringify(syscall.slice(0, 100))} with these arguments`,
    });
    Object.freeze(this);
  }

  judge(): Judge {
    return this.#judge;
  }

  #decide({ syscall, args }: Call): readonly Finding[] {
    const { denials, grants } = this.#select(syscall);
    let found = noFindings;
    // What cannot be told of a denial denies: an amount given as text is no way around a limit.
    for (const rule of denials) if (rule.when(args) !== false) found = [...found, rule.finding];
    if (found.length > 0) return found;
    const grant = grants.find(({ decision, when }) => {
      const holds = when(args);
      return decision === "escalate" ? holds !== false : holds === true;
    });
    if (grant === undefined) return this.#grantsSome ? [this.#ungranted(syscall)] : noFindings;
    return grant.decision === "allow" ? noFindings : [grant.finding];
  }

  #select(syscall: string): Selected {
    const known = this.#selected.get(syscall);
    if (known !== undefined) return known;
    const about = this.#rules.filter(({ pattern }) => pattern.matches(syscall));
    const selected = {
      denials: about.filter(({ decision }) => decision === "deny"),
      grants: about.filter(({ decision }) => decision !== "deny").sort((a, b) => b.rank - a.rank),
    };
    // Names come from agents, who can make up any number.
    if (this.#selected.size >= selectedMax) this.#selected.clear();
    this.#selected.set(syscall, selected);
    return selected;
  }
}

/** A rule for each of its patterns. */
function compileRule(rule: ToolRule): readonly CompiledRule[] {
  const decision = toolDecisions.find((each) => rule[each] !== undefined) ?? "deny";
  const patterns = [rule[decision] ?? []].flat().map(compilePattern);
  const when = compileConditions(rule.when);
  const conditioned = rule.when === undefined ? 0 : 1;
  return patterns.map((pattern) => {
    const name = rule.name ?? ruleName(decision, pattern.source, rule);
    return {
      decision,
      pattern,
      when,
      rank: (pattern.specificity * 2 + conditioned) * toolDecisions.length + toolDecisions.indexOf(decision),
      finding: Object.freeze({
        decision: decision === "allow" ? "warn" : decision,
        rule: name,
        severity: rule.severity,
        description: `${pattern.source} ${verbs[decision]}${rule.when === undefined ? "" : " with these arguments"}`,
      }),
    };
  });
}

const verbs = {
  allow: "is permitted",
  warn: "is better avoided",
  escalate: "needs somebody's permission",
  deny: "is not permitted",
} as const;

/** What a rule without a name is called. */
export function ruleName(decision: ToolDecision, pattern: string, { when }: Pick<ToolRule, "when">): string {
  const paths = Object.keys(when ?? {});
  return `${decision} ${pattern}${paths.length === 0 ? "" : ` when ${paths.join(", ")}`}`;
}
