import { type Severity, severityRank } from "../core/syscall.ts";
import type { AdvantageSettings } from "./algorithm-options.ts";
import { channelAdvantages, type GroupValues } from "./estimators.ts";
import { deviationOf, meanOf } from "./spread.ts";

/** What an episode brings to the advantages of its group. */
export interface Outcome {
  readonly reward: number;
  readonly cost: number;
  readonly scalarReward: number;
  /** Most severe violation of the episode; `null` without one. */
  readonly worst: Severity | null;
  /** Tokens that the policy chose: the weight of the episode where a batch is whitened by its tokens. */
  readonly tokens: number;
}

export interface AdvantageOptions {
  readonly channels: "separate" | "scalar";
  /** λ ≥ 0: weight of the cost channel against the reward channel. */
  readonly costMultiplier: number;
  /** Least severity that rules out a positive advantage. */
  readonly neverPositive: Severity;
  readonly advantage: AdvantageSettings;
}

/**
 * Advantages of the episodes of each group of a batch. `separate`: A = (A_reward − λ·A_cost) / (1 + λ), each channel normalised by itself, so
 * that a large penalty cannot drown the task reward (the Lagrangian advantage of Ray et al. 2019, section 5, on group-relative channels); an
 * episode with a violation of `neverPositive` or worse never gets more than 0. `scalar`: the normalised PolicyReward, as it is.
 */
export function advantagesOf(groups: readonly (readonly Outcome[])[], options: AdvantageOptions): number[][] {
  const { costMultiplier, neverPositive, advantage } = options;
  const channel = (name: "reward" | "cost" | "scalarReward", weight: number): Channel => {
    const values = groups.map((group) => group.map((outcome) => outcome[name]));
    return { weight, values };
  };
  const tokens = groups.map((group) => group.map((outcome) => outcome.tokens));
  if (options.channels === "scalar") return combinedAdvantages([channel("scalarReward", 1)], { tokens, advantage });
  const channels = [channel("reward", 1), channel("cost", -costMultiplier)];
  const found = combinedAdvantages(channels, { tokens, advantage, divisor: 1 + costMultiplier });
  return groups.map((group, place) =>
    group.map(({ worst }, index) => {
      const value = found[place]?.[index] as number;
      return worst !== null && severityRank(worst) >= severityRank(neverPositive) ? Math.min(0, value) : value;
    }),
  );
}

/** One number an episode of each group, and its weight among the channels. */
export interface Channel {
  readonly weight: number;
  readonly values: readonly (readonly number[])[];
}

/**
 * Σ weight · A(channel) / divisor. By `gdpo` the sum is then normalised over the batch (Liu et al. 2026; TRL's
 * `normalize_then_sum`). An episode without a finite value in any channel is in no mean, and gets 0.
 */
export function combinedAdvantages(
  channels: readonly Channel[],
  options: {
    readonly tokens: readonly (readonly number[])[];
    readonly advantage: AdvantageSettings;
    readonly divisor?: number;
  },
): number[][] {
  const { tokens, advantage, divisor = 1 } = options;
  const found = channels.map(({ values, weight }) => {
    const groups = values.map((own, group): GroupValues => ({ values: own, tokens: tokens[group] as number[] }));
    return { weight, advantages: channelAdvantages(groups, advantage) };
  });
  const sums = tokens.map((group, place) =>
    group.map((_, index) => {
      const total = found.reduce((sum, own) => sum + own.weight * (own.advantages[place]?.[index] as number), 0);
      return total / divisor;
    }),
  );
  if (advantage.estimator !== "gdpo") return sums;
  return normalisedOverBatch(sums, {
    isKnown: (place, index) => channels.some(({ values }) => Number.isFinite(values[place]?.[index])),
    settings: advantage,
  });
}

function normalisedOverBatch(
  sums: readonly (readonly number[])[],
  {
    isKnown,
    settings,
  }: {
    isKnown: (group: number, index: number) => boolean;
    settings: Pick<AdvantageSettings, "ddof" | "epsilon" | "spreadTolerance">;
  },
): number[][] {
  const known = sums.flatMap((group, place) => group.filter((_, index) => isKnown(place, index)));
  const mean = meanOf(known);
  const deviation = deviationOf(known, settings.ddof);
  if (deviation <= settings.spreadTolerance) return sums.map((group) => group.map(() => 0));
  return sums.map((group, place) =>
    group.map((value, index) => (isKnown(place, index) ? (value - mean) / (deviation + settings.epsilon) : 0)),
  );
}
