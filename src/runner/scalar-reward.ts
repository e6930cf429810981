import { boundsOf, type RewardSettings } from "./reward-options.ts";

/** What the scalar reward is made of. */
export interface ScalarParts {
  readonly base: number;
  /** Sum of the penalties, ≥ 0. */
  readonly cost: number;
  /** Whether there was a violation that is not merely watched. */
  readonly violated: boolean;
  /** Whether the episode or rollout came to its end, and what it did is attested: the kernel mediated something. */
  readonly attested: boolean;
}

/**
 * One number for reward and violations. `spec`: base + penalty, or base · factor, and the bonus, within bounds. `strict` differs where
 * the specification lets a violation go free: the multiplicative mode subtracts the magnitude (1 − factor) · |base|, with a base of 0 taken
 * for 1; the bonus is for what is attested alone; there are no bounds unless they are asked for.
 */
export function scalarReward(parts: ScalarParts, settings: RewardSettings): number {
  const valued = parts.violated && settings.multiplicative ? scaled(parts, settings) : parts.base - parts.cost;
  const clean = !parts.violated && (settings.profile === "spec" || parts.attested);
  return clamped(valued + (clean ? settings.cleanBonus : 0), settings);
}

function scaled({ base }: ScalarParts, { profile, multiplicativeFactor }: RewardSettings): number {
  if (profile === "spec") return base * multiplicativeFactor;
  return base - (1 - multiplicativeFactor) * (base === 0 ? 1 : Math.abs(base));
}

function clamped(reward: number, settings: RewardSettings): number {
  const { minReward, maxReward } = boundsOf(settings);
  const floored = minReward === null ? reward : Math.max(reward, minReward);
  return maxReward === null ? floored : Math.min(floored, maxReward);
}
