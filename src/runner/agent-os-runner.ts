import { z } from "zod";
import type { Agent } from "../core/agent.ts";
import type { Environment, Task } from "../core/env.ts";
import type { EpisodeKey, EpisodeRecord } from "../core/episode.ts";
import { messageOf } from "../core/errors.ts";
import type { KernelSpace } from "../kernel/kernel-space.ts";
import { parseOptions } from "../kernel/parse-options.ts";
import { GovernedEpisode } from "./governed-episode.ts";
import type { PolicyReward } from "./policy-reward.ts";

/** `runner` in the config. */
export const runnerOptions = z.strictObject({
  failOnViolation: z.boolean().default(false).describe("Whether a blocked violation ends its episode as stopped"),
  emitViolations: z.boolean().default(true).describe("Whether violations become spans of their own in the store"),
});
export type RunnerOptions = z.input<typeof runnerOptions>;
export type RunnerSettings = z.output<typeof runnerOptions>;

export interface EpisodePlan<T extends Task = Task> {
  readonly environment: Environment<T>;
  readonly task: T;
  readonly key: EpisodeKey;
  readonly reward: PolicyReward;
  /** `false` measures the same episode without the kernel's judgement. Default `true`. */
  readonly governed?: boolean;
  /** Whether the independent oracle looks at the world as well. Default `false`. */
  readonly oracle?: boolean;
}

/** Runs governed episodes on a booted kernel. Episodes may be begun side by side; none sees another. */
export class AgentOSRunner {
  readonly kernel: KernelSpace;
  readonly options: RunnerSettings;

  /** @throws {InputError} on unknown options. */
  constructor(kernel: KernelSpace, options: RunnerOptions = {}) {
    this.kernel = kernel;
    this.options = Object.freeze(parseOptions(runnerOptions, options, "AgentOSRunner"));
  }

  /** Starts an episode that the caller steers. An environment that breaks gives a finished, failed episode. */
  begin<T extends Task>(plan: EpisodePlan<T>): GovernedEpisode {
    return new GovernedEpisode(this.kernel, plan, this.options);
  }

  /** Runs a whole episode. Whatever breaks is in the record. An abort ends it as `cancelled`. */
  async run<T extends Task>(
    agent: Agent,
    plan: EpisodePlan<T> & { readonly signal?: AbortSignal },
  ): Promise<EpisodeRecord> {
    const episode = this.begin(plan);
    const signal = plan.signal ?? new AbortController().signal;
    while (!episode.done) {
      if (signal.aborted) {
        episode.cancel();
        break;
      }
      const context = { step: episode.stepCount, seed: plan.key.seed, signal };
      try {
        const chosen = agent.act(episode.observation, context);
        await episode.act(chosen instanceof Promise ? await chosen : chosen);
      } catch (error) {
        episode.fail("agent", messageOf(error));
      }
    }
    return episode.finish();
  }
}
