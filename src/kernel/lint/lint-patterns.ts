import { compilePatterns } from "../policies/syscall-pattern.ts";
import type { LintContext, LintFinding } from "./lint.ts";

/** Patterns that match no syscall that a driver performs. */
export function lintPatterns(
  sources: string | readonly string[] | undefined,
  path: string,
  { syscalls }: LintContext,
): readonly LintFinding[] {
  if (sources === undefined || syscalls === null) return [];
  return compilePatterns(sources)
    .filter((pattern) => ![...syscalls].some((syscall) => pattern.matches(syscall)))
    .map(({ source }) => ({ path, problem: `matches no syscall that there is: ${source}` }));
}
