import type { LoopOptions } from "../config/loop-options.ts";
import type { Measure } from "../report/measure.ts";
import type { EvaluationPoint } from "../report/run-report.ts";

/** What the evaluations of a training show so far: which was the best, and whether the target is reached. */
export class Standing {
  readonly #target: LoopOptions["stopAt"];
  readonly #evaluations: EvaluationPoint[] = [];
  #best: EvaluationPoint | null = null;
  #reached = false;

  constructor(target: LoopOptions["stopAt"]) {
    this.#target = target;
  }

  /** Takes evaluations in the order of their iterations. */
  add(point: EvaluationPoint): void {
    this.#evaluations.push(point);
    if (this.#best === null || worth(point.measure) > worth(this.#best.measure)) this.#best = point;
    if (this.#target !== undefined && reaches(point.measure, this.#target)) this.#reached = true;
  }

  get evaluations(): readonly EvaluationPoint[] {
    return this.#evaluations;
  }

  /** The earliest of those that no other one beats. */
  get best(): EvaluationPoint | null {
    return this.#best;
  }

  /** Whether an evaluation was as good as the target says. */
  get reached(): boolean {
    return this.#reached;
  }
}

/** A violation counts as much as a task. */
function worth({ taskAccuracy, violationRate }: Measure): number {
  return taskAccuracy - violationRate;
}

function reaches(measure: Measure, { accuracy = 0, violationRate = 1 }: NonNullable<LoopOptions["stopAt"]>): boolean {
  return measure.taskAccuracy >= accuracy && measure.violationRate <= violationRate;
}
