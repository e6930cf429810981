import { loadavg } from "node:os";
import { FaradayError } from "../../src/core/errors.ts";
import { type Checkout, checkOut } from "./checkouts.ts";
import { differenceOf, type Judged, judge, type Rule, roundsNeeded, rule, type Samples } from "./difference.ts";
import { type TurnOptions, takeTurns } from "./turns.ts";

export interface ComparedRow extends Judged {
  readonly name: string;
  /** Medians over the rounds. */
  readonly base: number;
  readonly head: number;
  readonly samples: Samples;
}

export interface Comparison {
  readonly base: Pick<Checkout, "name" | "commit">;
  readonly head: Pick<Checkout, "name" | "commit">;
  readonly machine: unknown;
  /** Mean number of running threads in the minute before. */
  readonly load: number;
  readonly rounds: number;
  readonly rule: Rule;
  readonly rows: readonly ComparedRow[];
  readonly onlyIn: readonly { readonly name: string; readonly side: "base" | "head" }[];
}

export interface ComparisonOptions extends TurnOptions {
  readonly repository: string;
  /** Any names of commits that git knows. */
  readonly base: string;
  readonly head: string;
}

/**
 * Measures two commits in turns and says which rows differ beyond noise.
 * @throws {FaradayError} where a bench fails, or there are too few rounds to tell its rows apart.
 */
export async function compareCommits(options: ComparisonOptions): Promise<Comparison> {
  const load = loadavg()[0] ?? 0;
  using resources = new DisposableStack();
  const [base, head] = checkOut(options.repository, [options.base, options.head], resources) as [Checkout, Checkout];
  const { machine, rows } = await takeTurns([base, head], options);
  const shared = [...rows].filter(([, samples]) => samples.base.length > 0 && samples.head.length > 0);
  const needed = roundsNeeded(shared.length, rule);
  if (options.rounds < needed)
    throw new FaradayError(
      `--rounds must be at least ${needed} to tell ${shared.length} rows apart, got ${options.rounds}`,
    );
  const judged = judge(
    shared.map(([, samples]) => differenceOf(samples)),
    rule,
  );
  return {
    base: { name: base.name, commit: base.commit },
    head: { name: head.name, commit: head.commit },
    ...{ machine, load, rounds: options.rounds, rule },
    rows: shared.map(([name, samples], index) => ({
      ...{ name, base: medianOf(samples.base), head: medianOf(samples.head) },
      ...(judged[index] as Judged),
      samples,
    })),
    onlyIn: [...rows].flatMap(([name, { base, head }]) => {
      if (base.length > 0 && head.length > 0) return [];
      return [{ name, side: base.length > 0 ? ("base" as const) : ("head" as const) }];
    }),
  };
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2;
}
