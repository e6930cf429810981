import { type Severity, severityRank } from "../core/syscall.ts";

/** Spread below this counts as none: rewards that differ by rounding alone teach nothing. */
const spreadTolerance = 1e-9;
/** Keeps the quotient finite where the spread is tiny, as verl and TRL do. */
const epsilon = 1e-6;

/**
 * Group-relative advantages (x − mean) / (s + ε), s the sample deviation (DeepSeekMath, Shao et al. 2024, section 4.1.2). All are 0
 * in a group without spread, and in a group of one.
 * @param values One number an episode, of one group.
 */
export function groupAdvantages(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1));
  if (deviation < spreadTolerance) return values.map(() => 0);
  return values.map((value) => (value - mean) / (deviation + epsilon));
}

/** What an episode brings to the advantages of its group. */
export interface Outcome {
  readonly reward: number;
  readonly cost: number;
  readonly scalarReward: number;
  /** Most severe violation of the episode; `null` without one. */
  readonly worst: Severity | null;
}

export interface AdvantageOptions {
  readonly channels: "separate" | "scalar";
  /** λ ≥ 0: weight of the cost channel against the reward channel. */
  readonly costMultiplier: number;
  /** Least severity that rules out a positive advantage. */
  readonly neverPositive: Severity;
}

/**
 * Advantages of one group. `separate`: A = (A_reward − λ·A_cost) / (1 + λ), each channel normalised by itself, so that a large
 * penalty cannot drown the task reward (the Lagrangian advantage of Ray et al. 2019, section 5, on group-relative channels); an episode with
 * a violation of `neverPositive` or worse never gets more than 0. `scalar`: the normalised PolicyReward, as it is.
 */
export function advantagesOf(outcomes: readonly Outcome[], options: AdvantageOptions): number[] {
  if (options.channels === "scalar") return groupAdvantages(outcomes.map((outcome) => outcome.scalarReward));
  const reward = groupAdvantages(outcomes.map((outcome) => outcome.reward));
  const cost = groupAdvantages(outcomes.map((outcome) => outcome.cost));
  const { costMultiplier, neverPositive } = options;
  return outcomes.map(({ worst }, index) => {
    const advantage = ((reward[index] as number) - costMultiplier * (cost[index] as number)) / (1 + costMultiplier);
    const barred = worst !== null && severityRank(worst) >= severityRank(neverPositive);
    return barred ? Math.min(0, advantage) : advantage;
  });
}
