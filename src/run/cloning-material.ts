import type { ResolvedConfig } from "../config/config-schema.ts";
import type { Environment, Split } from "../core/env.ts";
import { InputError } from "../core/errors.ts";
import { KernelSpace } from "../kernel/kernel-space.ts";
import type { ColumnValues } from "../model/value-swap.ts";
import { columnValues } from "./column-values.ts";
import { type ReplayedDemonstration, replayDemonstrations } from "./demonstrations.ts";
import { plainQueriesIn } from "./plain-demonstrations.ts";

/** Below so many demonstrations, what they do not hold is taken from the database. */
export const fewDemonstrations = 2000;
const batchOf = { many: 32, few: 16 };
const epochsOfMany = 40;
/** Gradient steps that a small set is given, in whole epochs within bounds. */
const stepsOfFew = 3000;
const epochsOfFew = { min: 40, max: 400 };

/** What a base policy is cloned from. */
export interface CloningMaterial {
  /** Of the training tasks. */
  readonly demonstrations: readonly ReplayedDemonstration[];
  /** Of the validation tasks, for few demonstrations; else empty, and a share of the demonstrations is kept back. */
  readonly validation: readonly ReplayedDemonstration[];
  /** Empty where literals are not exchanged for the database's. */
  readonly values: ColumnValues;
  readonly epochs: number;
  readonly batchSize: number;
  /** Whether what few demonstrations have in common must be brought out. */
  readonly few: boolean;
}

/**
 * Replays demonstrations in the kernel, and reads the database's texts for a set that is small.
 * @throws {InputError} where no training task has a demonstration.
 */
export async function cloningMaterial(environment: Environment, config: ResolvedConfig): Promise<CloningMaterial> {
  using kernel = new KernelSpace(config.kernel);
  await kernel.boot({ driverDefaults: environment.driverDefaults ?? {} });
  const of = (split: Split) => environment.tasks.filter((task) => task.split === split);
  const replayed = await replayDemonstrations(environment, of("train"), kernel);
  if (replayed.length === 0) {
    throw new InputError(
      `pretrain needs training tasks with a demo, got ${of("train").length} training tasks and no demo`,
    );
  }
  const { literalSwap, valueSwap = replayed.length < fewDemonstrations, ...given } = config.pretrain;
  const values: ColumnValues = literalSwap && valueSwap ? await columnValues(kernel) : new Map();
  const few = values.size > 0;
  const plain = (given.plainQueries ?? few) ? await plainQueriesIn(kernel) : null;
  const demonstrations = plain === null ? replayed : await plain(replayed);
  const validation = few ? await replayDemonstrations(environment, of("val"), kernel) : [];
  const batchSize = given.batchSize ?? (few ? batchOf.few : batchOf.many);
  const epochs = few ? epochsFor(Math.ceil(demonstrations.length / batchSize)) : epochsOfMany;
  return {
    demonstrations,
    validation: plain === null ? validation : await plain(validation),
    values,
    epochs: given.epochs ?? epochs,
    batchSize,
    few,
  };
}

function epochsFor(stepsAnEpoch: number): number {
  return Math.min(epochsOfFew.max, Math.max(epochsOfFew.min, Math.ceil(stepsOfFew / stepsAnEpoch)));
}
