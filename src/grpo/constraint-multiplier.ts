import { InputError } from "../core/errors.ts";
import { type MultiplierState, startMultiplier, stepMultiplier } from "./constraint.ts";
import type { Constraint } from "./constraint-options.ts";

/** λ of a run: it stays, or is driven by what its batches violate. Its state goes into the learner's. */
export class CostMultiplier {
  readonly #constraint: Constraint | undefined;
  #state: MultiplierState;

  /** @param multiplier λ at first: `train.costMultiplier`. */
  constructor(multiplier: number, constraint: Constraint | undefined) {
    this.#constraint = constraint;
    this.#state = startMultiplier(multiplier);
  }

  /** λ for the update that a batch makes. @param violated One an episode that is learned from; none of them says nothing. */
  after(violated: readonly boolean[]): number {
    if (violated.length > 0) {
      const rate = violated.filter(Boolean).length / violated.length;
      this.#state = stepMultiplier(this.#state, rate, this.#constraint);
    }
    return this.#state.multiplier;
  }

  /** λ, the integral, and the smoothed rate, which is NaN before the first batch. */
  state(): Float64Array {
    const { multiplier, integral, smoothedRate } = this.#state;
    return Float64Array.of(multiplier, integral, smoothedRate ?? Number.NaN);
  }

  /** @throws {InputError} where they are not the numbers of {@link state}. */
  restore(state: Float64Array): void {
    const [multiplier = -1, integral = -1, smoothedRate = Number.NaN] = state;
    if (state.length !== 3 || !(multiplier >= 0 && integral >= 0)) {
      throw new InputError(`the state of a cost multiplier must be λ, integral and rate, got [${state.join(", ")}]`);
    }
    this.#state = { multiplier, integral, smoothedRate: Number.isNaN(smoothedRate) ? null : smoothedRate };
  }
}
