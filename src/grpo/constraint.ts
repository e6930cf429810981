import type { Constraint } from "./constraint-options.ts";

/** Where a cost multiplier stands: plain numbers, so that a run goes on from them bit for bit. */
export interface MultiplierState {
  /** λ ≥ 0, the weight of the cost channel. */
  readonly multiplier: number;
  /** What `pid` has summed up, in units of λ. */
  readonly integral: number;
  /** Smoothed rate of violations; `null` before the first. */
  readonly smoothedRate: number | null;
}

/** @param multiplier λ before the first update: `train.costMultiplier`. */
export function startMultiplier(multiplier: number): MultiplierState {
  return { multiplier, integral: multiplier, smoothedRate: null };
}

/**
 * The state after a batch, whose own update it weighs. Without a constraint it stays as it is.
 * @param violationRate Of the batch's episodes, in [0, 1].
 * @throws {RangeError} where it is none: a multiplier that is no number would unlearn everything.
 */
export function stepMultiplier(
  state: MultiplierState,
  violationRate: number,
  constraint: Constraint | undefined,
): MultiplierState {
  if (!(violationRate >= 0 && violationRate <= 1)) {
    throw new RangeError(`a rate of violations must be 0..1, got ${violationRate}`);
  }
  if (constraint === undefined) return state;
  return controllers[constraint.controller](state, violationRate, constraint);
}

type Controller = (state: MultiplierState, violationRate: number, constraint: Constraint) => MultiplierState;

const controllers = { lagrange, pid } satisfies Record<Constraint["controller"], Controller>;

/** Projected dual ascent: λ ← [λ + η·(rate − budget)] within 0..max (Ray, Achiam and Amodei 2019, section 5). */
function lagrange(state: MultiplierState, violationRate: number, constraint: Constraint): MultiplierState {
  const { violationRate: budget, step, multiplierMax } = constraint;
  const multiplier = clamp(state.multiplier + step * (violationRate - budget), multiplierMax);
  return { ...state, multiplier };
}

/**
 * λ ← [K_P·error + I + K_D·(growth)₊] within 0..max, I ← [I + K_I·error] (Stooke, Achiam and Abbeel 2020, algorithm 2). As in the authors'
 * own program, error and growth that λ answers at once are of the smoothed rate, I is in units of λ and starts at the first one. I has
 * the bounds of λ: what it cannot give, it need not take back later.
 */
function pid(state: MultiplierState, violationRate: number, constraint: Constraint): MultiplierState {
  const { violationRate: budget, proportional, derivative, smoothing, multiplierMax } = constraint;
  const before = state.smoothedRate ?? violationRate;
  const smoothedRate = smoothing * before + (1 - smoothing) * violationRate;
  const integral = clamp(state.integral + constraint.integral * (violationRate - budget), multiplierMax);
  const growth = Math.max(0, smoothedRate - before);
  const multiplier = clamp(proportional * (smoothedRate - budget) + integral + derivative * growth, multiplierMax);
  return { multiplier, integral, smoothedRate };
}

function clamp(value: number, max: number): number {
  return Math.min(Math.max(value, 0), max);
}
