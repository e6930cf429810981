import { isDeepStrictEqual } from "node:util";
import type { Severity } from "../../core/syscall.ts";
import { type Conditions, impossible } from "../policies/conditions.ts";
import type { ResolvedPolicySpec } from "../policies/policy-spec.ts";
import { covers } from "../policies/syscall-pattern.ts";
import { type ToolDecision, type ToolRule, toolDecisions } from "../policies/tools-policy.ts";
import type { LintContext, LintFinding } from "./lint.ts";
import { lintPatterns } from "./lint-patterns.ts";
import { noResolver } from "./lint-sequence.ts";

type Tools = Extract<ResolvedPolicySpec, { type: "tools" }>;

/** One pattern of a rule. */
interface Line {
  readonly path: string;
  readonly decision: ToolDecision;
  readonly pattern: string;
  readonly when: Conditions | undefined;
  readonly severity: Severity;
}

export function lintTools({ rules }: Tools, context: LintContext): readonly LintFinding[] {
  const lines = rules.flatMap(linesOf);
  return [
    ...lines.flatMap((line) => lintPatterns(line.pattern, line.path, context)),
    ...rules.flatMap(({ when }, index) => {
      const never = impossible(when);
      return never === null ? [] : [{ path: `rules.${index}.when`, problem: `can never hold: ${never}` }];
    }),
    ...lines.flatMap((line, index) => shadowOf(line, lines, index)),
    ...(context.hasResolver
      ? []
      : lines.filter(({ decision }) => decision === "escalate").map(({ path }) => ({ path, problem: noResolver }))),
  ];
}

function linesOf(rule: ToolRule, index: number): readonly Line[] {
  const decision = toolDecisions.find((each) => rule[each] !== undefined) ?? "deny";
  const patterns = [rule[decision] ?? []].flat();
  return patterns.map((pattern) => ({
    path: `rules.${index}.${decision}`,
    decision,
    pattern,
    when: rule.when,
    severity: rule.severity,
  }));
}

/** Why a line never decides anything: another one always does, or does the same. */
function shadowOf(line: Line, lines: readonly Line[], index: number): readonly LintFinding[] {
  const { decision, pattern, path } = line;
  const twin = lines.slice(0, index).find((other) => sameAs(other, line));
  if (twin !== undefined) return [{ path, problem: `says the same as ${twin.path} of ${pattern}` }];
  const wider = lines.filter((other) => other !== line && other.when === undefined && covers(other.pattern, pattern));
  // A denial of another severity counts beside the wider one; a grant does nothing there.
  const denial = wider.find(
    (other) => other.decision === "deny" && (decision !== "deny" || other.severity === line.severity),
  );
  if (denial !== undefined)
    return [{ path, problem: `of ${pattern} is shadowed by ${denial.path} of ${denial.pattern}` }];
  const rival = decision === "deny" ? undefined : lines.find((other) => beats(other, line));
  if (rival !== undefined) return [{ path, problem: `of ${pattern} is shadowed by ${rival.path}, which is stricter` }];
  const broader = wider.find((other) => other.decision === decision && lines.indexOf(other) < index);
  if (decision === "deny" || broader === undefined || makesDifference(line, broader, lines)) return [];
  return [{ path, problem: `of ${pattern} adds nothing to ${broader.path} of ${broader.pattern}` }];
}

function sameAs(a: Line, b: Line): boolean {
  return a.decision === b.decision && a.pattern === b.pattern && isDeepStrictEqual(a.when, b.when);
}

/** Whether a grant of the same pattern and conditions is the stricter one, which decides. */
function beats(other: Line, line: Line): boolean {
  if (other.decision === "deny" || other.pattern !== line.pattern || !isDeepStrictEqual(other.when, line.when))
    return false;
  return toolDecisions.indexOf(other.decision) > toolDecisions.indexOf(line.decision);
}

/** Whether some other grant lies between the broader line and this one, so that this one makes a difference. */
function makesDifference(line: Line, broader: Line, lines: readonly Line[]): boolean {
  return lines.some(
    (other) =>
      other.decision !== line.decision &&
      other.decision !== "deny" &&
      covers(broader.pattern, other.pattern) &&
      (covers(other.pattern, line.pattern) || covers(line.pattern, other.pattern)),
  );
}
