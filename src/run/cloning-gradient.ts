import { type Trajectory, type TrajectoryColumns, trajectoryAt } from "../core/trajectory.ts";
import type { Architecture } from "../model/architecture.ts";
import type { Dropout } from "../model/dropout.ts";
import { GradientEngine } from "../model/gradient.ts";
import { type SharedWeightsMemory, weightsAt } from "./rollout.ts";

/** What every worker of a cloning is made of. */
export interface CloningSetup {
  readonly architecture: Architecture;
  readonly weights: SharedWeightsMemory;
  readonly shardRows: number;
}

/** Some demonstrations of a step: one piece of its gradient, whoever computes it. */
export type CloningTask =
  | {
      readonly kind: "gradient";
      readonly revision: number;
      readonly trajectories: TrajectoryColumns;
      /** Chosen tokens of the whole step, over which the cross-entropy is the mean. */
      readonly stepTokens: number;
      readonly dropout: Dropout | undefined;
    }
  | { readonly kind: "measure"; readonly revision: number; readonly trajectories: TrajectoryColumns };

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

  private constructor(setup: CloningSetup, engine: GradientEngine) {
    this.#setup = setup;
    this.#engine = engine;
  }

  static async boot(setup: CloningSetup): Promise<CloningHost> {
    const options = { temperature: 1, lengthStep: 8, shardRows: setup.shardRows };
    return new CloningHost(setup, await GradientEngine.create(setup.architecture, options));
  }

  answer(task: CloningTask): CloningAnswer {
    const weights = weightsAt(this.#setup.weights, task.revision);
    const trajectories = trajectoriesOf(task.trajectories);
    if (task.kind === "measure") {
      return { gradient: new Float32Array(0), logProbabilities: this.#engine.logProbabilities(weights, trajectories) };
    }
    return this.#engine.crossEntropy(weights, trajectories, { tokens: task.stepTokens, dropout: task.dropout });
  }
}

function trajectoriesOf(columns: TrajectoryColumns): Trajectory[] {
  return Array.from({ length: columns.offsets.length - 1 }, (_, index) => trajectoryAt(columns, index));
}
