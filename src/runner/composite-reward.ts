import { InputError } from "../core/errors.ts";

/** What values a rollout: a function, or an object such as `PolicyReward`. */
export type RewardFunction<Rollout> = ((rollout: Rollout) => number) | { compute(rollout: Rollout): number };

export type WeightedReward<Rollout> = readonly [reward: RewardFunction<Rollout>, weight: number];

/** A weighted sum of rewards. */
export class CompositeReward<Rollout> {
  readonly components: readonly WeightedReward<Rollout>[];

  /**
   * @param options `normalize` divides every weight by their sum. Default `false`.
   * @throws {InputError} where there are no components, a weight is no finite number, or weights to normalise sum to 0.
   */
  constructor(components: readonly WeightedReward<Rollout>[], options: { readonly normalize?: boolean } = {}) {
    if (components.length === 0) throw new InputError("CompositeReward: components must not be empty");
    const sum = components.reduce((total, [, weight]) => total + weight, 0);
    if (!Number.isFinite(sum)) throw new InputError("CompositeReward: weights must be finite numbers");
    const normalize = options.normalize ?? false;
    if (normalize && sum === 0) throw new InputError("CompositeReward: weights that sum to 0 cannot be normalised");
    this.components = components.map(([reward, weight]) => [reward, normalize ? weight / sum : weight]);
  }

  compute(rollout: Rollout): number {
    return this.components.reduce((total, [reward, weight]) => total + weight * worthOf(reward, rollout), 0);
  }
}

function worthOf<Rollout>(reward: RewardFunction<Rollout>, rollout: Rollout): number {
  return typeof reward === "function" ? reward(rollout) : reward.compute(rollout);
}
