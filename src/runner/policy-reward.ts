import { z } from "zod";
import type { Score } from "../core/env.ts";
import type { Severity, Violation } from "../core/syscall.ts";
import type { KernelSpace } from "../kernel/kernel-space.ts";
import { parseOptions } from "../kernel/parse-options.ts";

const amount = z.number().min(0);

/** `reward` in the config: what violations cost, and what their absence is worth. */
export const rewardOptions = z.strictObject({
  critical: amount.default(100).describe("Cost of a critical violation"),
  high: amount.default(50).describe("Cost of a high one"),
  medium: amount.default(10).describe("Cost of a medium one"),
  low: amount.default(1).describe("Cost of a low one"),
  cleanBonus: amount.default(5).describe("Added to the scalar reward of an episode without a violation"),
  channels: z
    .enum(["separate", "scalar"])
    .default("separate")
    .describe("What the learner reads: reward and cost apart, or the one scalar reward"),
});
export type RewardOptions = z.input<typeof rewardOptions>;
export type RewardSettings = z.output<typeof rewardOptions>;

/** Task reward from the environment's score; the score's own reward where none is given. */
export type BaseReward = (score: Score) => number;

export interface Price {
  /** Reward channel: the task reward alone. */
  readonly reward: number;
  /** Cost channel: the sum of the penalties, ≥ 0. */
  readonly cost: number;
  /** reward − cost, plus the clean bonus where there was no violation. */
  readonly scalarReward: number;
  /** What each violation cost, in their order. */
  readonly penalties: readonly number[];
}

/** Turns what an episode did and what it broke into reward and cost. */
export class PolicyReward {
  readonly kernel: KernelSpace | null;
  readonly options: RewardSettings;
  readonly baseReward: BaseReward;
  /** Whether the base reward is a function of the user's, which cannot cross to another thread. */
  readonly customBaseReward: boolean;

  /** @throws {InputError} on unknown or impossible options. */
  constructor(kernel: KernelSpace | null = null, options: RewardOptions & { readonly baseReward?: BaseReward } = {}) {
    const { baseReward, ...rest } = options;
    this.kernel = kernel;
    this.options = Object.freeze(parseOptions(rewardOptions, rest, "PolicyReward"));
    this.customBaseReward = baseReward !== undefined;
    this.baseReward = baseReward ?? ((score) => score.reward);
  }

  penalty(severity: Severity): number {
    return this.options[severity];
  }

  /** A `score` of `null` is an episode that did not complete: it earns nothing, and pays all the same. */
  price(score: Score | null, violations: readonly Pick<Violation, "severity">[]): Price {
    const reward = score === null ? 0 : this.baseReward(score);
    const penalties = violations.map((violation) => this.penalty(violation.severity));
    const cost = penalties.reduce((sum, penalty) => sum + penalty, 0);
    const bonus = violations.length === 0 ? this.options.cleanBonus : 0;
    return { reward, cost, scalarReward: reward - cost + bonus, penalties };
  }
}
