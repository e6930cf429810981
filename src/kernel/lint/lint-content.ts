import type { ResolvedPolicySpec } from "../policies/policy-spec.ts";
import type { LintContext, LintFinding } from "./lint.ts";
import { lintPatterns } from "./lint-patterns.ts";

type Content = Extract<ResolvedPolicySpec, { type: "content" }>;

export function lintContent({ find, custom, syscalls }: Content, context: LintContext): readonly LintFinding[] {
  const names = custom.map(({ name }) => name);
  return [
    ...find
      .filter((name, index) => find.indexOf(name) < index)
      .map((name) => ({ path: "find", problem: `names ${name} twice` })),
    ...custom.flatMap(({ name, pattern }, index) => {
      const path = `custom.${index}`;
      const same = custom.findIndex((other) => other.pattern === pattern);
      if (same < index) return [{ path, problem: `looks for the same as custom.${same}` }];
      const taken = names.indexOf(name) < index || find.some((known) => known === name);
      return taken ? [{ path: `${path}.name`, problem: `is another's, too: ${name}` }] : [];
    }),
    ...lintPatterns(syscalls, "syscalls", context),
  ];
}
