/** Which syscalls a rule is about: one name, all that begin with a prefix (`files.*`), or all (`*`). */
export interface SyscallPattern {
  readonly source: string;
  /** The larger, the more specific: `*` is 0, a prefix its length, a whole name more than any prefix. */
  readonly specificity: number;
  matches(syscall: string): boolean;
}

const exact = 1_000_000;

export function compilePattern(source: string): SyscallPattern {
  if (source === "*") return { source, specificity: 0, matches: () => true };
  if (!source.endsWith(".*")) return { source, specificity: exact, matches: (syscall) => syscall === source };
  const prefix = source.slice(0, -1);
  return { source, specificity: prefix.length, matches: (syscall) => syscall.startsWith(prefix) };
}

export function compilePatterns(sources: string | readonly string[]): readonly SyscallPattern[] {
  return (typeof sources === "string" ? [sources] : sources).map(compilePattern);
}

/** Whether every syscall that the narrow pattern matches, the wide one matches, too. */
export function covers(wide: string, narrow: string): boolean {
  if (wide === "*" || wide === narrow) return true;
  return wide.endsWith(".*") && narrow !== "*" && narrow.startsWith(wide.slice(0, -1));
}
