import { type Severity, severityRank } from "../core/syscall.ts";
import type { StoredViolation } from "../store/lightning-store.ts";

/** The same statement that broke the same rule, however often. */
export interface RepeatedViolation {
  readonly policy: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly statement: string;
  readonly count: number;
  /** How many of them the kernel blocked. */
  readonly blockedCount: number;
  /** What they cost together. */
  readonly penalty: number;
  /** Example and end of its story: the first and the last episode. */
  readonly firstEpisode: string;
  readonly lastEpisode: string;
}

/** The costliest first; the same order whatever the order of equals in the input. */
export function worstViolations(
  violations: readonly StoredViolation[],
  options: { readonly limit: number },
): readonly RepeatedViolation[] {
  const groups = Map.groupBy(violations, ({ policy, rule, severity, statement }) =>
    JSON.stringify([policy, rule, severity, statement]),
  );
  const repeated = [...groups].flatMap(([key, group]) => {
    const summary = summaryOf(group);
    return summary === null ? [] : [{ key, summary }];
  });
  return repeated
    .toSorted((a, b) => compare(a.summary, b.summary) || (a.key < b.key ? -1 : 1))
    .slice(0, options.limit)
    .map(({ summary }) => summary);
}

function compare(a: RepeatedViolation, b: RepeatedViolation): number {
  return b.penalty - a.penalty || severityRank(b.severity) - severityRank(a.severity) || b.count - a.count;
}

function summaryOf(group: readonly StoredViolation[]): RepeatedViolation | null {
  const [first] = group;
  const last = group.at(-1);
  if (first === undefined || last === undefined) return null;
  return {
    policy: first.policy,
    rule: first.rule,
    severity: first.severity as Severity,
    statement: first.statement,
    count: group.length,
    blockedCount: group.filter(({ blocked }) => blocked).length,
    penalty: group.reduce((sum, { penalty }) => sum + penalty, 0),
    firstEpisode: first.episode,
    lastEpisode: last.episode,
  };
}
