import type { PolicyViolation } from "./policy-violation.ts";

/** Where an episode of a GovernedEnvironment stands. */
export interface EnvironmentState {
  readonly stepCount: number;
  readonly totalReward: number;
  /** All of the episode, in their order. */
  readonly violations: readonly PolicyViolation[];
  /** Whether a step ended it: a critical violation, the task's end, a signal, or doubt about its violations. */
  readonly terminated: boolean;
  /** Whether its steps are used up. */
  readonly truncated: boolean;
  /** Of the newest step. */
  readonly info: Readonly<Record<string, unknown>>;
}

export const initialState: EnvironmentState = Object.freeze({
  stepCount: 0,
  totalReward: 0,
  violations: Object.freeze([]),
  terminated: false,
  truncated: false,
  info: Object.freeze({}),
});

/** Over the life of an environment; the rates are 0 before the first episode. */
export interface EnvironmentMetrics {
  readonly totalEpisodes: number;
  readonly totalSteps: number;
  readonly totalViolations: number;
  /** Episodes with at least one successful step without a violation. */
  readonly successfulEpisodes: number;
  readonly successRate: number;
  readonly violationsPerEpisode: number;
  readonly stepsPerEpisode: number;
}

export class EnvironmentCounters {
  #episodes = 0;
  #steps = 0;
  #violations = 0;
  #successful = 0;
  #succeeded = false;

  get episodes(): number {
    return this.#episodes;
  }

  beginEpisode(): void {
    this.#episodes++;
    this.#succeeded = false;
  }

  beginStep(): void {
    this.#steps++;
  }

  endStep({ violations, clean }: { readonly violations: number; readonly clean: boolean }): void {
    this.#violations += violations;
    if (!clean || this.#succeeded) return;
    this.#succeeded = true;
    this.#successful++;
  }

  read(): EnvironmentMetrics {
    const episodes = Math.max(this.#episodes, 1);
    return {
      totalEpisodes: this.#episodes,
      totalSteps: this.#steps,
      totalViolations: this.#violations,
      successfulEpisodes: this.#successful,
      successRate: this.#successful / episodes,
      violationsPerEpisode: this.#violations / episodes,
      stepsPerEpisode: this.#steps / episodes,
    };
  }
}
