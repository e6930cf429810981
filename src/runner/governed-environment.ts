import type { Environment } from "../core/env.ts";
import { FaradayError, InputError } from "../core/errors.ts";
import { type Logger, stderrLogger } from "../core/logger.ts";
import { isPenalised, type Syscall } from "../core/syscall.ts";
import { KernelSpace } from "../kernel/kernel-space.ts";
import { parseOptions } from "../kernel/parse-options.ts";
import type { ActionExecutor, ActionResult } from "./action-executor.ts";
import { type EnvironmentOptions, type EnvironmentSettings, environmentOptions } from "./environment-options.ts";
import { type StepReward, stepReward } from "./environment-reward.ts";
import {
  EnvironmentCounters,
  type EnvironmentMetrics,
  type EnvironmentState,
  initialState,
} from "./environment-state.ts";
import { type GovernedKernel, policyNames, requireKernel } from "./governed-kernel.ts";
import { KernelExecutor } from "./kernel-executor.ts";
import type { PolicyViolation } from "./policy-violation.ts";
import { SessionExecutor } from "./session-executor.ts";

/** What a reward function is told of a step. */
export interface RewardedStep<State, Action> {
  readonly state: State;
  readonly action: Action;
  readonly result: unknown;
  readonly success: boolean;
  readonly violations: readonly PolicyViolation[];
}

export interface GovernedEnvironmentOptions<State, Action> {
  /** Makes the first state of an episode; with an `environment`, the task or its id. */
  readonly taskGenerator?: (options: { readonly seed: number; readonly episode: number }) => State;
  /** Base reward of a step. Default: 1 for success, else 0; with an `environment`, its score at the end, 0 before. */
  readonly rewardFn?: (step: RewardedStep<State, Action>) => number;
  readonly config?: EnvironmentOptions;
  /** For a KernelSpace: where tasks, observations and scores come from. */
  readonly environment?: Environment;
  /** For a KernelSpace: the syscall of an action; `null` ends the episode. By default an action is a syscall or an SQL text. */
  readonly toSyscall?: (action: Action) => Syscall | null;
  readonly logger?: Logger;
}

export interface ResetOptions {
  /** Default: how many episodes there were. */
  readonly seed?: number;
  /** Task of the environment, or its id, or the first state, instead of the generator's. */
  readonly task?: unknown;
}

export interface ResetInfo {
  readonly episode: number;
  readonly kernelPolicies: readonly string[];
}

export interface StepInfo {
  readonly episode: number;
  readonly step: number;
  readonly success: boolean;
  readonly result: unknown;
  readonly error: string | null;
  readonly violations: readonly PolicyViolation[];
  readonly cost: number;
  /** Why the violations of the step are in doubt, so that it earned nothing; `null` where they are known. */
  readonly quarantined: string | null;
}

/** Gymnasium's: `[observation, reward, terminated, truncated, info]`. */
export type StepTuple<State> = readonly [State, number, boolean, boolean, StepInfo];
/** Safety-Gymnasium's, with the cost apart: `[observation, reward, cost, terminated, truncated, info]`. */
export type CostTuple<State> = readonly [State, number, number, boolean, boolean, StepInfo];

/** A kernel as a training environment: each step is an action through the kernel, and what it refused is paid for. */
export class GovernedEnvironment<State = unknown, Action = unknown, Kernel extends GovernedKernel = GovernedKernel>
  implements Disposable
{
  readonly kernel: Kernel;
  readonly config: EnvironmentSettings;
  readonly #options: GovernedEnvironmentOptions<State, Action>;
  readonly #executor: ActionExecutor;
  readonly #logger: Logger;
  readonly #counters = new EnvironmentCounters();
  #state = initialState;
  #observation = null as State;
  #busy = false;
  #closed = false;

  /** @throws {InputError} on unknown or impossible options, or a kernel that cannot execute or tell violations. */
  constructor(kernel: Kernel, options: GovernedEnvironmentOptions<State, Action> = {}) {
    this.kernel = requireKernel(kernel, "GovernedEnvironment");
    this.config = Object.freeze(parseOptions(environmentOptions, options.config ?? {}, "GovernedEnvironment"));
    for (const name of ["taskGenerator", "rewardFn", "toSyscall"] as const) {
      if (options[name] === undefined || typeof options[name] === "function") continue;
      throw new InputError(`GovernedEnvironment: ${name} must be a function`);
    }
    this.#options = options;
    this.#logger = options.logger ?? stderrLogger;
    this.#executor = executorOf(kernel, { ...options, logger: this.#logger });
  }

  /** Where the episode stands. */
  get state(): EnvironmentState {
    return this.#state;
  }

  /** Whether the episode is over, either way. */
  get terminated(): boolean {
    return this.#state.terminated || this.#state.truncated;
  }

  /** Begins an episode. */
  async reset(options: ResetOptions = {}): Promise<readonly [State, ResetInfo]> {
    this.#mayGoOn("reset");
    this.#state = initialState;
    this.#counters.beginEpisode();
    const episode = this.#counters.episodes;
    const seed = options.seed ?? episode - 1;
    const task = options.task ?? this.#options.taskGenerator?.({ seed, episode });
    const shown = await this.#executor.reset({ seed, task, resetKernel: this.config.resetKernelState });
    this.#observation = (shown ?? task ?? null) as State;
    return [this.#observation, { episode, kernelPolicies: policyNames(this.kernel) }];
  }

  /** Takes one action. What breaks in the kernel is a step without success. The first step begins an episode where there is none. */
  async step(action: Action): Promise<StepTuple<State>> {
    const { earned, info } = await this.#step(action);
    return [this.#observation, earned.reward, this.#state.terminated, this.#state.truncated, info];
  }

  /** As {@link step}, with the penalties for violations as a cost ≥ 0 of their own instead of in the reward. */
  async stepWithCost(action: Action): Promise<CostTuple<State>> {
    const { earned, info } = await this.#step(action);
    return [this.#observation, earned.taskReward, earned.cost, this.#state.terminated, this.#state.truncated, info];
  }

  getMetrics(): EnvironmentMetrics {
    return this.#counters.read();
  }

  /** Logs the metrics, and lets go of the kernel: once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#executor.close();
    this.#logger.info("environment closed", { ...this.getMetrics() });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #step(action: Action): Promise<{ readonly earned: StepReward; readonly info: StepInfo }> {
    if (this.#counters.episodes === 0) await this.reset();
    this.#mayGoOn("step");
    if (this.terminated) throw new FaradayError("GovernedEnvironment.step: the episode is over; call reset() first");
    this.#busy = true;
    try {
      this.#counters.beginStep();
      const last = this.#state.stepCount + 1 >= this.#stepsMax;
      return this.#conclude(action, await this.#executor.execute(action, { last }));
    } finally {
      this.#busy = false;
    }
  }

  #conclude(action: Action, result: ActionResult): { readonly earned: StepReward; readonly info: StepInfo } {
    const { violations, success, doubt } = result;
    const base = this.#baseReward(action, result);
    // In doubt, nothing is earned; what is known is paid for all the same.
    const earned = stepReward({ base: doubt === null ? base : Math.min(0, base), success, violations }, this.config);
    const stepCount = this.#state.stepCount + 1;
    const penalised = violations.filter(isPenalised);
    const critical = this.config.terminateOnCritical && penalised.some(({ severity }) => severity === "critical");
    const info: StepInfo = {
      episode: this.#counters.episodes,
      step: stepCount,
      success,
      result: result.result,
      error: result.error,
      violations,
      cost: earned.cost,
      quarantined: doubt,
    };
    this.#counters.endStep({ violations: penalised.length, clean: success && penalised.length === 0 });
    this.#state = {
      stepCount,
      totalReward: this.#state.totalReward + earned.reward,
      violations: [...this.#state.violations, ...violations],
      terminated: result.done || doubt !== null || critical,
      truncated: stepCount >= this.#stepsMax,
      info: { ...info },
    };
    if (result.state !== undefined) this.#observation = result.state as State;
    else if (success) this.#observation = result.result as State;
    return { earned, info };
  }

  #baseReward(action: Action, { result, success, violations, reward }: ActionResult): number {
    const step = { state: this.#observation, action, result, success, violations };
    const base = this.#options.rewardFn?.(step) ?? reward ?? (success ? 1 : 0);
    if (Number.isFinite(base)) return base;
    throw new FaradayError(`GovernedEnvironment: rewardFn must return a finite number, got ${base}`);
  }

  get #stepsMax(): number {
    return Math.min(this.config.maxSteps, this.#options.environment?.maxTurns ?? this.config.maxSteps);
  }

  #mayGoOn(method: string): void {
    if (this.#closed) throw new FaradayError(`GovernedEnvironment.${method}: the environment is closed`);
    if (this.#busy) throw new FaradayError(`GovernedEnvironment.${method}: a step is under way; await it first`);
  }
}

/** The specification's factory. Unlike there, a key that no option has is an error, not ignored. */
export function createGovernedEnv<State = unknown, Action = unknown>(
  kernel: GovernedKernel,
  config: EnvironmentOptions = {},
): GovernedEnvironment<State, Action> {
  return new GovernedEnvironment<State, Action>(kernel, { config });
}

function executorOf<State, Action>(
  kernel: GovernedKernel,
  options: GovernedEnvironmentOptions<State, Action> & { readonly logger: Logger },
): ActionExecutor {
  const { environment = null, toSyscall = null, logger } = options;
  if (kernel instanceof KernelSpace) return new SessionExecutor(kernel, { environment, toSyscall });
  if (environment === null && toSyscall === null) return new KernelExecutor(kernel, logger);
  throw new InputError("GovernedEnvironment: environment and toSyscall need a KernelSpace");
}
