/** Over the rollouts that a reward was computed for. */
export interface RewardStats {
  readonly totalRewards: number;
  /** ≤ 0. */
  readonly totalPenalties: number;
  readonly avgPenalty: number;
  readonly violationRate: number;
  readonly cleanRate: number;
}

export class RewardStatistics {
  #rewards = 0;
  #penalties = 0;
  #violated = 0;

  /** A quarantined rollout is none that is known to be clean. */
  add(result: {
    readonly policyPenalty: number;
    readonly violationCount: number;
    readonly quarantined: boolean;
  }): void {
    this.#rewards++;
    this.#penalties += result.policyPenalty;
    if (result.violationCount > 0 || result.quarantined) this.#violated++;
  }

  read(): RewardStats {
    const share = (count: number) => (this.#rewards === 0 ? 0 : count / this.#rewards);
    return {
      totalRewards: this.#rewards,
      totalPenalties: this.#penalties,
      avgPenalty: share(this.#penalties),
      violationRate: share(this.#violated),
      cleanRate: share(this.#rewards - this.#violated),
    };
  }

  reset(): void {
    this.#rewards = 0;
    this.#penalties = 0;
    this.#violated = 0;
  }
}
