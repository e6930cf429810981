import type { Score } from "../core/env.ts";
import { FaradayError, InputError, messageOf } from "../core/errors.ts";
import { type Logger, stderrLogger } from "../core/logger.ts";
import { isPenalised, type Severity, type Violation } from "../core/syscall.ts";
import type { KernelSpace } from "../kernel/kernel-space.ts";
import { parseOptions } from "../kernel/parse-options.ts";
import { emitSafely, type GovernanceEmitter } from "./governance-emitter.ts";
import type { GovernedKernel } from "./governed-kernel.ts";
import { PolicyViolation, penaltyOf } from "./policy-violation.ts";
import { readReport, unreadable } from "./reported-violation.ts";
import {
  configOf,
  optionsOf,
  type RewardConfig,
  type RewardOptions,
  type RewardSettings,
  rewardOptions,
} from "./reward-options.ts";
import { RewardStatistics, type RewardStats } from "./reward-statistics.ts";
import { scalarReward } from "./scalar-reward.ts";

/** Task reward from the environment's score; the score's own reward where none is given. */
export type BaseReward = (score: Score) => number;

/** What is read of a rollout to value it; a GovernedRollout has it all. */
export interface RewardedRollout {
  readonly success?: boolean;
  readonly taskOutput?: unknown;
  readonly violations?: Iterable<object>;
  readonly outcome?: string;
  /** Syscalls that the kernel attests to have mediated. */
  readonly mediated?: number | null;
}

export interface PolicyRewardOptions extends RewardOptions {
  readonly baseReward?: BaseReward;
  /** Base reward of a rollout; by default 1 for success, else 0. */
  readonly baseRewardFn?: (rollout: RewardedRollout) => number;
  /** The specification's form of the other options; these win over it. */
  readonly config?: RewardConfig;
  readonly emitter?: GovernanceEmitter;
  readonly logger?: Logger;
}

export interface Price {
  /** Reward channel: the task reward alone. */
  readonly reward: number;
  /** Cost channel: the sum of the penalties, ≥ 0. */
  readonly cost: number;
  /** What the profile makes of both in one number; reward − cost, plus the clean bonus, by default. */
  readonly scalarReward: number;
  /** What each violation cost, in their order. */
  readonly penalties: readonly number[];
}

export interface RewardResult {
  readonly final: number;
  readonly base: number;
  /** ≤ 0. */
  readonly policyPenalty: number;
  readonly violationCount: number;
  /** Whether its violations could not be read, or are in doubt: it earns nothing. */
  readonly quarantined: boolean;
}

/** Turns what an episode or a rollout did and what it broke into reward and cost. */
export class PolicyReward<Kernel extends GovernedKernel = KernelSpace> {
  readonly kernel: Kernel | null;
  readonly options: RewardSettings;
  readonly baseReward: BaseReward;
  /** Whether the base reward is a function of the user's, which cannot cross to another thread. */
  readonly customBaseReward: boolean;
  readonly #baseRewardFn: (rollout: RewardedRollout) => number;
  readonly #emitter: GovernanceEmitter | undefined;
  readonly #logger: Logger;
  readonly #statistics = new RewardStatistics();

  /** @throws {InputError} on unknown or impossible options. */
  constructor(kernel: Kernel | null = null, options: PolicyRewardOptions = {}) {
    const { baseReward, baseRewardFn, config, emitter, logger, ...rest } = options;
    for (const [name, given] of Object.entries({ baseReward, baseRewardFn })) {
      if (given !== undefined && typeof given !== "function")
        throw new InputError(`PolicyReward: ${name} must be a function`);
    }
    this.kernel = kernel;
    this.options = Object.freeze(parseOptions(rewardOptions, { ...optionsOf(config ?? {}), ...rest }, "PolicyReward"));
    this.customBaseReward = baseReward !== undefined || baseRewardFn !== undefined;
    this.baseReward = baseReward ?? ((score) => score.reward);
    this.#baseRewardFn = baseRewardFn ?? successReward;
    this.#emitter = emitter;
    this.#logger = logger ?? stderrLogger;
  }

  /** The options in the specification's form, defaults included. */
  get config(): Required<RewardConfig> {
    return configOf(this.options);
  }

  penalty(severity: Severity): number {
    return this.options[severity];
  }

  /**
   * Prices an episode. A `score` of `null` is one that did not complete: it earns nothing, and pays all the same.
   * @param options `mediated`: syscalls that the kernel attests to.
   */
  price(
    score: Score | null,
    violations: readonly Pick<Violation, "severity" | "penalty">[],
    { mediated = 0 }: { readonly mediated?: number } = {},
  ): Price {
    const reward = score === null ? 0 : this.baseReward(score);
    const penalties = violations.map((violation) => this.#price(violation));
    const cost = penalties.reduce((sum, penalty) => sum + penalty, 0);
    const violated = violations.some(isPenalised);
    const parts = { base: reward, cost, violated, attested: score !== null && mediated > 0 };
    return { reward, cost, scalarReward: scalarReward(parts, this.options), penalties };
  }

  /** The reward of a rollout, counted and, unless `emit` is `false`, emitted. */
  compute(rollout: RewardedRollout, options: { readonly emit?: boolean } = {}): number {
    return this.evaluate(rollout, options).final;
  }

  /** As {@link compute}, with what the reward is made of. */
  evaluate(rollout: RewardedRollout, { emit = true }: { readonly emit?: boolean } = {}): RewardResult {
    const base = this.#baseRewardFn(rollout);
    if (!Number.isFinite(base))
      throw new FaradayError(`PolicyReward: the base reward must be a finite number, got ${base}`);
    const { violations, readable } = this.#violationsOf(rollout);
    const quarantined = !readable || rollout.outcome === "quarantined";
    const cost = violations.reduce((sum, violation) => sum + this.#price(violation), 0);
    const parts = {
      base: quarantined ? Math.min(0, base) : base,
      cost,
      violated: quarantined || violations.some(isPenalised),
      attested: rollout.success !== false && (rollout.mediated ?? 0) > 0,
    };
    const final = scalarReward(parts, this.options);
    const violationCount = violations.filter(isPenalised).length;
    const result = { final, base, policyPenalty: 0 - cost, violationCount, quarantined };
    this.#statistics.add(result);
    if (emit) this.#emit(result);
    return result;
  }

  getStats(): RewardStats {
    return this.#statistics.read();
  }

  resetStats(): void {
    this.#statistics.reset();
  }

  /** The violation's own price, save under `spec`, which knows severities alone; what is merely watched is free in both. */
  #price(violation: { readonly severity: string; readonly penalty?: number }): number {
    const own = violation instanceof PolicyViolation && !violation.hasOwnPenalty ? undefined : violation.penalty;
    if (own === 0 || (own !== undefined && this.options.profile === "strict")) return own;
    return penaltyOf(violation.severity, this.options);
  }

  #violationsOf(rollout: RewardedRollout): {
    readonly violations: readonly PolicyViolation[];
    readonly readable: boolean;
  } {
    try {
      const found = rollout.violations ?? recentViolations(this.kernel);
      return { violations: [...found].map((violation) => readReport(violation, [], "medium")), readable: true };
    } catch (error) {
      this.#logger.warning("a rollout is quarantined: its violations cannot be read", { error: messageOf(error) });
      return { violations: [unreadable("the violations of a rollout cannot be read")], readable: false };
    }
  }

  #emit({ final, base, policyPenalty, violationCount }: RewardResult): void {
    const emitter = this.#emitter;
    if (typeof emitter?.emitReward !== "function") return;
    const attributes = {
      "agent_os.violation_count": violationCount,
      "agent_os.policy_compliant": violationCount === 0,
    };
    emitSafely(() => emitter.emitReward?.({ final, base, policy_penalty: policyPenalty }, attributes), this.#logger);
  }
}

/** The specification's factory: severities by name, with their penalties as negative numbers. */
export function createPolicyReward<Kernel extends GovernedKernel>(
  kernel: Kernel,
  options: Omit<PolicyRewardOptions, "config" | Severity> & {
    readonly severityPenalties?: Readonly<Partial<Record<Severity, number>>>;
  } = {},
): PolicyReward<Kernel> {
  const { severityPenalties: { critical, high, medium, low, ...unknown } = {}, ...rest } = options;
  const given = { criticalPenalty: critical, highPenalty: high, mediumPenalty: medium, lowPenalty: low, ...unknown };
  const config = Object.fromEntries(Object.entries(given).filter(([, penalty]) => penalty !== undefined));
  return new PolicyReward(kernel, { ...rest, config });
}

function successReward({ success, taskOutput }: RewardedRollout): number {
  return (success ?? (taskOutput !== undefined && taskOutput !== null)) ? 1 : 0;
}

function recentViolations(kernel: GovernedKernel | null): Iterable<object | string> {
  if (kernel !== null && "getRecentViolations" in kernel && typeof kernel.getRecentViolations === "function") {
    return kernel.getRecentViolations();
  }
  throw new FaradayError("the rollout has no violations, and the kernel has no getRecentViolations to ask");
}
