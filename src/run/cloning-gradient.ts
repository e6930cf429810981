import { type Trajectory, type TrajectoryColumns, trajectoryAt } from "../core/trajectory.ts";
import type { Architecture } from "../model/architecture.ts";
import { GradientEngine, type LossDerivative } from "../model/gradient.ts";
import type { Dropout } from "../model/tape.ts";
import { type SharedWeightsMemory, weightsAt } from "./rollout.ts";

/** What every worker of a cloning is made of. */
export interface CloningSetup {
  readonly architecture: Architecture;
  readonly weights: SharedWeightsMemory;
}

/** Some demonstrations of a step: one piece of its gradient, whoever computes it. */
export type CloningTask =
  | {
      readonly kind: "gradient";
      readonly slot: number;
      readonly trajectories: TrajectoryColumns;
      /** Chosen tokens of the whole step, over which the cross-entropy is the mean. */
      readonly stepTokens: number;
      readonly dropout: Dropout | undefined;
    }
  | { readonly kind: "measure"; readonly slot: number; readonly trajectories: TrajectoryColumns };

export interface CloningAnswer {
  /** Empty where it was not asked for. */
  readonly gradient: Float32Array;
  /** Of each trajectory's chosen tokens, in order. */
  readonly logProbabilities: readonly Float64Array[];
}

/** What a worker keeps for its life. */
export class CloningHost {
  readonly #setup: CloningSetup;
  readonly #engine: GradientEngine;

  constructor(setup: CloningSetup) {
    this.#setup = setup;
    this.#engine = new GradientEngine(setup.architecture, { temperature: 1 });
  }

  answer(task: CloningTask): CloningAnswer {
    const weights = weightsAt(this.#setup.weights, task.slot);
    const trajectories = trajectoriesOf(task.trajectories);
    if (task.kind === "measure") {
      return { gradient: new Float32Array(0), logProbabilities: this.#engine.logProbabilities(weights, trajectories) };
    }
    const found: Float64Array[] = [];
    const derive: LossDerivative = (row, logProbabilities, derivative) => {
      found[row] = logProbabilities;
      derivative.fill(-1 / task.stepTokens);
    };
    return {
      gradient: this.#engine.gradient(weights, trajectories, derive, { dropout: task.dropout }),
      logProbabilities: found,
    };
  }
}

function trajectoriesOf(columns: TrajectoryColumns): Trajectory[] {
  return Array.from({ length: columns.offsets.length - 1 }, (_, index) => trajectoryAt(columns, index));
}
