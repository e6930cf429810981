import type { AdvantageSettings } from "./algorithm-options.ts";
import { deviationOf, meanOf } from "./spread.ts";

/** One number an episode of a group, such as its rewards, and how many tokens the policy chose in each. */
export interface GroupValues {
  /** What is not finite is excluded: it is in no mean and no deviation, and its advantage is 0. */
  readonly values: readonly number[];
  readonly tokens: readonly number[];
}

/** What verl adds to the count of tokens, and to the variance, when it whitens a batch (`masked_whiten`). */
const whiteningEpsilon = 1e-8;

/**
 * Advantages of the episodes of each group, by one channel. A group of one and a group without spread teach nothing, except by `reinforce++`,
 * which compares with the batch.
 */
export function channelAdvantages(groups: readonly GroupValues[], settings: AdvantageSettings): number[][] {
  const finite = groups.map(({ values, tokens }) => ({
    values: values.filter((value) => Number.isFinite(value)),
    tokens: tokens.filter((_, index) => Number.isFinite(values[index])),
  }));
  const found = estimate(finite, settings);
  return groups.map(({ values }, group) => {
    const own = (found[group] as number[]).values();
    return values.map((value) => (Number.isFinite(value) ? (own.next().value ?? 0) : 0));
  });
}

function estimate(groups: readonly GroupValues[], settings: AdvantageSettings): number[][] {
  const all = groups.flatMap(({ values }) => values);
  const within = (advantages: (values: readonly number[], settings: WithBatch) => number[]) =>
    groups.map(({ values }) =>
      isFlat(values, settings) ? values.map(() => 0) : advantages(values, { ...settings, all }),
    );
  switch (settings.estimator) {
    case "grpo":
    case "gdpo":
      return within(normalised);
    case "rloo":
      return within(leaveOneOut);
    case "maxrl":
      return within(relativeToMean);
    case "pass@k":
      return within(bestAgainstNext);
    case "reinforce++":
      return whitened(groups, settings);
    case "reinforce++_baseline": {
      const values = within(centred);
      return whitened(
        groups.map(({ tokens }, group) => ({ values: values[group] as number[], tokens })),
        settings,
      );
    }
    default:
      return settings.estimator satisfies never;
  }
}

/** One value compares with nothing, and values that differ by rounding alone teach nothing. */
function isFlat(values: readonly number[], { ddof, spreadTolerance }: AdvantageSettings): boolean {
  return values.length < 2 || deviationOf(values, ddof) <= spreadTolerance;
}

function centred(values: readonly number[]): number[] {
  const mean = meanOf(values);
  return values.map((value) => value - mean);
}

type WithBatch = AdvantageSettings & { readonly all: readonly number[] };

/** (x − mean) / (s + ε) (Shao et al. 2024, section 4.1.2); without the division, Liu et al. 2025 (Dr. GRPO). */
function normalised(values: readonly number[], settings: WithBatch): number[] {
  const divisor = divisorOf(values, settings);
  return centred(values).map((value) => value / divisor);
}

function divisorOf(values: readonly number[], { scale, ddof, epsilon, all }: WithBatch): number {
  if (scale === "none") return 1;
  return deviationOf(scale === "group" ? values : all, ddof) + epsilon;
}

/** x − mean of the others = (x − mean) · n / (n − 1) (RLOO, Ahmadian et al. 2024). */
function leaveOneOut(values: readonly number[]): number[] {
  const factor = values.length / (values.length - 1);
  return centred(values).map((value) => value * factor);
}

/**
 * (x − mean) / (mean + ε) (SkyRL's `maxrl`), for rewards ≥ 0. A group whose mean is not positive teaches nothing: the quotient would
 * turn every sign round.
 */
function relativeToMean(values: readonly number[], { epsilon, spreadTolerance }: AdvantageSettings): number[] {
  const mean = meanOf(values);
  return centred(values).map((value) => (mean <= spreadTolerance ? 0 : value / (mean + epsilon)));
}

/** What the best episode has over the next, divided as in GRPO; the others get 0 (verl's `grpo_passk`). */
function bestAgainstNext(values: readonly number[], settings: WithBatch): number[] {
  const best = values.reduce((most, value) => Math.max(most, value));
  const index = values.indexOf(best);
  const next = values.reduce((most, value, place) => (place === index ? most : Math.max(most, value)), -Infinity);
  const divisor = divisorOf(values, settings);
  return values.map((_, place) => (place === index ? (best - next) / divisor : 0));
}

/** (x − mean) / s over the tokens of the batch (REINFORCE++, Hu et al. 2025), with the epsilons of verl. */
function whitened(groups: readonly GroupValues[], settings: AdvantageSettings): number[][] {
  const tokens = sum(groups, (_, weight) => weight);
  const mean = sum(groups, (value, weight) => value * weight) / (tokens + whiteningEpsilon);
  const squares = sum(groups, (value, weight) => (value - mean) ** 2 * weight);
  const variance = tokens < 2 ? 0 : ((squares / (tokens + whiteningEpsilon)) * tokens) / (tokens - 1);
  const all = groups.flatMap(({ values }) => values);
  const teachesNothing = isFlat(all, settings);
  const divisor = Math.sqrt(variance + whiteningEpsilon);
  return groups.map(({ values }) => values.map((value) => (teachesNothing ? 0 : (value - mean) / divisor)));
}

function sum(groups: readonly GroupValues[], term: (value: number, tokens: number) => number): number {
  let total = 0;
  for (const { values, tokens } of groups)
    values.forEach((value, index) => {
      total += term(value, tokens[index] as number);
    });
  return total;
}
