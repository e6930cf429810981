import type { ResolvedConfig } from "../config/config-schema.ts";
import type { Phase } from "../core/episode.ts";
import { type Checkpoint, saveCheckpoint } from "../model/checkpoint.ts";
import { describeMachine } from "../report/machine.ts";
import { type Measure, measureOf } from "../report/measure.ts";
import type { CurvePoint, RunReport } from "../report/run-report.ts";
import type { LightningStore, RunStatus } from "../store/lightning-store.ts";
import type { RunEvent } from "./events.ts";
import { Learner } from "./learn.ts";
import { batchMetrics, storedEpisodes } from "./measurement.ts";
import type { BatchPlan, Planner } from "./plan.ts";
import { type RolloutPool, workerCountOf } from "./rollout-pool.ts";
import type { RunDirectory } from "./run-directory.ts";

/** What a run works with. It opens none of it and closes none of it. */
export interface TrainingParts {
  readonly config: ResolvedConfig;
  readonly planner: Planner;
  readonly checkpoint: Checkpoint;
  readonly pool: RolloutPool;
  readonly store: LightningStore;
  readonly directory: RunDirectory;
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
}

/** The loop: measure, then roll out, learn and store until the iterations are done, then measure again. */
export class TrainingRun {
  readonly #parts: TrainingParts;
  readonly #startedAt = performance.now();
  readonly #measures: { ungoverned?: Measure; before?: Measure; after?: Measure } = {};
  readonly #curve: CurvePoint[] = [];
  #episodes = 0;

  constructor(parts: TrainingParts) {
    this.#parts = parts;
  }

  /** Ends early, after the batch in hand, once the signal is aborted; the report then says `cancelled`. */
  async run(): Promise<RunReport> {
    const { signal, checkpoint, pool, config } = this.#parts;
    const { train, reward } = config;
    await this.#measure("ungoverned", 0);
    if (!signal.aborted) await this.#measure("before", 0);
    const learner = new Learner({ weights: checkpoint.weights, source: pool, train, channels: reward.channels });
    let iteration = 0;
    while (iteration < train.iterations && !signal.aborted) await this.#iterate(++iteration, learner);
    this.#saveWeights(learner, iteration);
    if (!signal.aborted) await this.#measure("after", iteration);
    return this.report(signal.aborted ? "cancelled" : "succeeded");
  }

  /** What the run has to show so far. */
  report(status: RunStatus): RunReport {
    const { config } = this.#parts;
    return {
      run: this.#parts.directory.run,
      status,
      seed: config.train.seed,
      wallSeconds: (performance.now() - this.#startedAt) / 1000,
      iterations: this.#curve.length,
      episodes: this.#episodes,
      workers: workerCountOf(config),
      before: this.#measures.before ?? null,
      after: this.#measures.after ?? null,
      ungoverned: this.#measures.ungoverned ?? null,
      config: {
        "train.groupsPerBatch": config.train.groupsPerBatch,
        "train.groupSize": config.train.groupSize,
        "train.learningRate": config.train.learningRate,
        "train.costMultiplier": config.train.costMultiplier,
        "reward.channels": config.reward.channels,
        "model.checkpoint": config.model.checkpoint ?? "",
      },
      curve: this.#curve,
      machine: describeMachine(),
    };
  }

  async #measure(phase: Phase & ("ungoverned" | "before" | "after"), weights: number): Promise<void> {
    const { planner, pool, emit, config } = this.#parts;
    const episodes = config.train.evalEpisodes;
    const plan = planner.evaluation(phase, { split: "test", episodes, weights, governed: phase !== "ungoverned" });
    const batch = await pool.run(plan);
    await this.#store(plan, batchMetrics(batch), storedEpisodes(batch), batch.audit);
    const measure = measureOf(batch.episodes.map((episode) => episode.summary));
    this.#measures[phase] = measure;
    emit({ type: "evaluation-end", phase, measure });
  }

  async #iterate(iteration: number, learner: Learner): Promise<void> {
    const { planner, pool, emit, config } = this.#parts;
    const { iterations, checkpointEvery } = config.train;
    const plan = planner.training(iteration);
    const start = performance.now();
    const batch = await pool.run(plan);
    const rolled = performance.now();
    const { advantages, metrics } = await learner.update(batch, iteration);
    const learned = performance.now();
    const figures = {
      ...batchMetrics(batch),
      ...metrics,
      rolloutSeconds: (rolled - start) / 1000,
      learnSeconds: (learned - rolled) / 1000,
      episodesPerSecond: batch.episodes.length / ((learned - start) / 1000),
    };
    await this.#store(plan, figures, storedEpisodes(batch, advantages), batch.audit);
    const metricsWithStore = { ...figures, storeSeconds: (performance.now() - learned) / 1000 };
    this.#episodes += batch.episodes.length;
    this.#curve.push({ iteration, metrics: metricsWithStore });
    if (checkpointEvery > 0 && iteration % checkpointEvery === 0) this.#saveWeights(learner, iteration);
    emit({ type: "iteration-end", iteration, iterations, metrics: metricsWithStore });
  }

  #store(
    { phase, iteration, weights }: BatchPlan,
    metrics: Readonly<Record<string, number>>,
    episodes: ReturnType<typeof storedEpisodes>,
    audit: Parameters<LightningStore["storeBatch"]>[0]["audit"],
  ): Promise<void> {
    const { store, directory, config } = this.#parts;
    const { emitViolations } = config.runner;
    return store.storeBatch({
      run: directory.run,
      phase,
      iteration,
      weights,
      episodes,
      audit,
      metrics,
      emitViolations,
    });
  }

  #saveWeights(learner: Learner, iteration: number): void {
    const { checkpoint, directory } = this.#parts;
    const provenance = { ...checkpoint.provenance, run: directory.run, iteration };
    saveCheckpoint(directory.checkpoint(iteration), { ...checkpoint, weights: learner.weights, provenance });
  }
}
