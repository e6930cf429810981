import type { ResolvedConfig } from "../config/config-schema.ts";
import { chooseEnvironment } from "../config/environment.ts";
import { FaradayError } from "../core/errors.ts";
import { chosenCount } from "../core/trajectory.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import type { FinishedBatch } from "./dispatch.ts";
import { type BatchPlan, Planner } from "./plan.ts";
import { openPolicyModel } from "./policy-model.ts";
import { type Quartiles, quartilesOf } from "./quartiles.ts";
import { RolloutPool } from "./rollout-pool.ts";

export interface ThroughputOptions {
  readonly config: ResolvedConfig;
  /** Numbers of workers to compare, each once. */
  readonly workerCounts: readonly number[];
  /** Time of each number of workers over all its turns; a batch that has begun is finished. */
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** What goes on, in a line. */
  readonly tell: (text: string) => void;
}

/** How fast training batches are rolled out, without learning from them. */
export interface Throughput {
  /** The environment's name. */
  readonly workload: string;
  readonly workers: number;
  readonly governed: true;
  /** Medians over the batches. A step is a syscall; tokens are those that the policy model chose. */
  readonly episodesPerSecond: number;
  readonly stepsPerSecond: number;
  readonly tokensPerSecond: number;
  /** Episodes a second over those of one worker times the workers; `null` where one worker was not measured. */
  readonly efficiency: number | null;
  /** Batches that were timed. */
  readonly runs: number;
  readonly spread: Readonly<Record<Rate, Quartiles>>;
}

const rates = ["episodesPerSecond", "stepsPerSecond", "tokensPerSecond"] as const;
type Rate = (typeof rates)[number];
type BatchRates = Readonly<Record<Rate, number>>;

/** Turns that every number of workers has, so that a slow spell of the machine falls on all of them. */
export const roundCount = 3;

/**
 * Rolls out the same batches with every number of workers, in turns. Pools are kept between their turns, idle.
 * @throws {FaradayError} where the signal is aborted, after the batch in hand, or an episode fails.
 */
export async function measureThroughput(options: ThroughputOptions): Promise<readonly Throughput[]> {
  const { config, workerCounts, seconds, signal, tell } = options;
  const { definition, options: environmentOptions } = await chooseEnvironment(config.env, config.baseDir);
  const environment = await definition.load(environmentOptions, { baseDir: config.baseDir });
  const checkpoint = config.agent === undefined ? openPolicyModel(config, environment) : null;
  const planner = new Planner(environment.tasks, config.train);
  planner.tasksOf("train");
  await using pools = new AsyncDisposableStack();
  const lanes: Lane[] = [];
  for (const workers of workerCounts) {
    checkRunning(signal);
    tell(`starting ${workers} ${workers === 1 ? "worker" : "workers"}`);
    const lane = pools.use(new Lane({ config: { ...config, workers }, checkpoint, planner, tell }));
    await lane.warmUp();
    lanes.push(lane);
  }
  for (let round = 1; round <= roundCount; round++) {
    for (const lane of lanes) {
      await lane.takeTurn(seconds / roundCount, signal);
      const { median } = quartilesOf(lane.batches.map((batch) => batch.episodesPerSecond));
      tell(`round ${round} of ${roundCount}, workers ${lane.workers}: ${median.toFixed(0)} episodes/s so far`);
    }
  }
  return rowsOf(definition.name, lanes);
}

/** One number of workers: its pool and what it has come to so far. */
class Lane implements AsyncDisposable {
  readonly workers: number;
  readonly batches: BatchRates[] = [];
  readonly #pool: RolloutPool;
  readonly #planner: Planner;

  constructor(parts: {
    readonly config: ResolvedConfig & { readonly workers: number };
    readonly checkpoint: Checkpoint | null;
    readonly planner: Planner;
    readonly tell: (text: string) => void;
  }) {
    this.workers = parts.config.workers;
    this.#planner = parts.planner;
    this.#pool = new RolloutPool(parts.config, parts.checkpoint, ({ reason }) => parts.tell(reason));
  }

  /** Boots every worker and compiles what it runs; not counted. */
  async warmUp(): Promise<void> {
    const plan = this.#planner.training(1);
    // A small batch has fewer tasks than there are workers: enough of it to keep all of them busy.
    const times = Math.ceil(this.workers / plan.tasks.length);
    const tasks = Array.from({ length: times }, () => plan.tasks).flat();
    await this.#run({ ...plan, tasks });
  }

  /** Whole batches until the time is up; at least one. */
  async takeTurn(seconds: number, signal: AbortSignal): Promise<void> {
    const end = performance.now() + seconds * 1000;
    do {
      checkRunning(signal);
      const plan = this.#planner.training(this.batches.length + 2);
      const start = performance.now();
      const batch = await this.#run(plan);
      this.batches.push(ratesOf(batch, (performance.now() - start) / 1000));
    } while (performance.now() < end);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  async #run(plan: BatchPlan): Promise<FinishedBatch> {
    // Nothing is learned: every batch is the base policy's.
    const tasks = plan.tasks.map((task) => ({ ...task, weights: 0 }));
    const batch = await this.#pool.run({ ...plan, tasks });
    const failed = batch.episodes.find(({ summary }) => summary.outcome === "failed");
    if (failed === undefined) return batch;
    const { key, error } = failed.summary;
    throw new FaradayError(`nothing was measured: episode ${key.id} failed in ${error?.boundary}: ${error?.message}`);
  }
}

function checkRunning(signal: AbortSignal): void {
  if (signal.aborted) throw new FaradayError("the measurement was cancelled", { cause: signal.reason });
}

function ratesOf({ episodes }: FinishedBatch, seconds: number): BatchRates {
  const steps = episodes.reduce((sum, { summary }) => sum + summary.stepCount, 0);
  const tokens = episodes.reduce((sum, { trajectory }) => sum + chosenCount(trajectory), 0);
  return {
    episodesPerSecond: episodes.length / seconds,
    stepsPerSecond: steps / seconds,
    tokensPerSecond: tokens / seconds,
  };
}

function rowsOf(workload: string, lanes: readonly Lane[]): readonly Throughput[] {
  const spreads = lanes.map(({ batches }) => spreadOf(batches));
  const single = spreads[lanes.findIndex(({ workers }) => workers === 1)]?.episodesPerSecond.median;
  return lanes.map(({ workers, batches }, index) => {
    const spread = spreads[index] as Readonly<Record<Rate, Quartiles>>;
    return {
      workload,
      workers,
      governed: true,
      episodesPerSecond: spread.episodesPerSecond.median,
      stepsPerSecond: spread.stepsPerSecond.median,
      tokensPerSecond: spread.tokensPerSecond.median,
      efficiency: single === undefined ? null : spread.episodesPerSecond.median / single / workers,
      runs: batches.length,
      spread,
    };
  });
}

function spreadOf(batches: readonly BatchRates[]): Readonly<Record<Rate, Quartiles>> {
  const of = (rate: Rate) => quartilesOf(batches.map((batch) => batch[rate]));
  return {
    episodesPerSecond: of("episodesPerSecond"),
    stepsPerSecond: of("stepsPerSecond"),
    tokensPerSecond: of("tokensPerSecond"),
  };
}
