import type { Environment } from "../core/env.ts";
import { InputError } from "../core/errors.ts";
import { type Logger, stderrLogger } from "../core/logger.ts";
import { parseOptions } from "../kernel/parse-options.ts";
import type { GovernanceEmitter } from "./governance-emitter.ts";
import { type GovernedKernel, requireKernel } from "./governed-kernel.ts";
import type { PolicyReward } from "./policy-reward.ts";
import type { PolicyViolation } from "./policy-violation.ts";
import { type RunnerOptions, type RunnerSettings, runnerOptions } from "./runner-options.ts";

/** Options of a runner: those of the config, and what only a program can give. */
export interface RunnerFaceOptions extends RunnerOptions {
  /** Whether each violation of a step is logged as a warning. Default `true`. */
  readonly logViolations?: boolean;
  /** Called with each violation of a step, in the runner's own process and thread: it can do whatever the program can. */
  readonly violationCallback?: ((violation: PolicyViolation) => unknown) | null;
  /** What acts in `step` on a KernelSpace; other kernels are handed it. */
  readonly agent?: unknown;
  /** Where tasks come from in `step` on a KernelSpace. */
  readonly environment?: Environment;
  readonly reward?: PolicyReward;
  readonly emitter?: GovernanceEmitter;
  readonly logger?: Logger;
}

export interface RunnerFace {
  readonly settings: RunnerSettings;
  readonly logViolations: boolean;
  readonly violationCallback: ((violation: PolicyViolation) => unknown) | null;
  readonly agent: unknown;
  readonly environment: Environment | null;
  readonly reward: PolicyReward | null;
  readonly emitter: GovernanceEmitter | null;
  readonly logger: Logger;
}

/** @throws {InputError} on anything that does not fit. */
export function parseRunnerFace(kernel: GovernedKernel, options: RunnerFaceOptions): RunnerFace {
  const {
    logViolations = true,
    violationCallback = null,
    agent,
    environment,
    reward,
    emitter,
    logger,
    ...rest
  } = options;
  requireKernel(kernel, "AgentOSRunner");
  if (violationCallback !== null && typeof violationCallback !== "function") {
    throw new InputError(`AgentOSRunner: violationCallback must be a function, got ${typeof violationCallback}`);
  }
  if (typeof logViolations !== "boolean") throw new InputError("AgentOSRunner: logViolations must be true or false");
  return Object.freeze({
    settings: Object.freeze(parseOptions(runnerOptions, rest, "AgentOSRunner")),
    logViolations,
    violationCallback,
    agent: agent ?? null,
    environment: environment ?? null,
    reward: reward ?? null,
    emitter: emitter ?? null,
    logger: logger ?? stderrLogger,
  });
}
