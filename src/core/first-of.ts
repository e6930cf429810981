const linesMax = 50;

/** The first of many lines of a message, and how many more there are: what nobody reads to its end is cut. */
export function firstOf(lines: readonly string[]): readonly string[] {
  return lines.length <= linesMax ? lines : [...lines.slice(0, linesMax), `… and ${lines.length - linesMax} more`];
}
