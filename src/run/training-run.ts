import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { ResolvedConfig } from "../config/config-schema.ts";
import type { Phase } from "../core/episode.ts";
import { inTurns } from "../core/steps.ts";
import { packTrajectories } from "../core/trajectory.ts";
import { type Checkpoint, saveCheckpoint } from "../model/checkpoint.ts";
import { describeMachine } from "../report/machine.ts";
import { type Measure, measureOf } from "../report/measure.ts";
import type { CurvePoint, RunReport } from "../report/run-report.ts";
import { timeSplitOf } from "../report/time-split.ts";
import type { RunStatus, StoredIteration } from "../store/lightning-store.ts";
import type { RunTelemetry } from "../telemetry/run-telemetry.ts";
import type { AuditTrail } from "./audit-trail.ts";
import { type FinishedBatch, NothingCameBack } from "./dispatch.ts";
import type { RunEvent } from "./events.ts";
import type { FaultLedger } from "./fault-ledger.ts";
import { type GatheredBatch, gather } from "./gather.ts";
import { type GradientSource, Learner } from "./learn.ts";
import { batchMetrics, storedEpisodes } from "./measurement.ts";
import type { BatchPlan, Planner } from "./plan.ts";
import { reconciling } from "./reconcile.ts";
import type { EarlierWork } from "./resume.ts";
import { stalenessOf, workerCountOf } from "./rollout-pool.ts";
import { RolloutsAhead } from "./rollouts-ahead.ts";
import type { RunDirectory } from "./run-directory.ts";
import { type RunState, StateFolder } from "./run-state.ts";
import { Standing } from "./standing.ts";
import { weightsDigest } from "./weights-digest.ts";
import { withinStoreDeadline } from "./within-deadline.ts";

/** What a run works with. It opens none of it and closes none of it. */
export interface TrainingParts {
  readonly config: ResolvedConfig;
  readonly planner: Planner;
  readonly checkpoint: Checkpoint;
  readonly pool: Pool;
  readonly audit: AuditTrail;
  readonly directory: RunDirectory;
  /** SHA-256 of the tasks that the planner has. */
  readonly tasks: string;
  /** What is done already, where the run is resumed. */
  readonly earlier: EarlierWork | null;
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
  /** Told of everything that is stored, where somebody wants to know. */
  readonly telemetry?: RunTelemetry | null;
}

/** What rolls out and differentiates. */
export interface Pool extends GradientSource {
  run(plan: BatchPlan): Promise<FinishedBatch>;
  publishPolicy(updates: number, weights: Float32Array): void;
  readonly faults: Pick<FaultLedger, "quarantined" | "faultsByTask" | "restore">;
}

/**
 * The loop: measure, then roll out, learn and store until the iterations are done, then measure again. The next batch is begun as soon as the policy
 * is there that it is sampled from: while the last one is stored, or, with `train.async`, while it is learned from.
 */
export class TrainingRun {
  readonly #parts: TrainingParts;
  readonly #startedAt = performance.now();
  readonly #measures: { ungoverned?: Measure; before?: Measure; after?: Measure } = {};
  readonly #curve: CurvePoint[] = [];
  readonly #states: StateFolder;
  readonly #standing: Standing;
  #evaluationSeconds = 0;
  #episodes = 0;
  #quarantinedEpisodes = 0;
  /** SHA-256 of the weights that are published now, until it is in the audit log. */
  #update: string | undefined;
  /** Policies that batches to come may be sampled from, the newest last. */
  #policies: Float32Array[] = [];
  /** When the last update was done, or its batch begun. */
  #learnedAt = 0;

  constructor(parts: TrainingParts) {
    this.#parts = parts;
    this.#states = new StateFolder(parts.directory.path);
    this.#standing = new Standing(parts.config.train.stopAt);
    const stored = parts.earlier?.iterations ?? [];
    if (stored.length === 0) this.#update = weightsDigest(parts.checkpoint.weights);
    for (const done of stored) this.#recall(done);
  }

  /** Takes what is stored of a batch into the report. */
  #recall({ phase, iteration, episodes, metrics }: StoredIteration): void {
    this.#quarantinedEpisodes += metrics.quarantinedEpisodes ?? 0;
    this.#evaluationSeconds += metrics.evaluationSeconds ?? 0;
    if (phase !== "train") return;
    this.#episodes += episodes;
    this.#curve.push({ iteration, metrics });
  }

  /** Ends early, after the batch in hand, once the signal is aborted; the report then says `cancelled`. */
  async run(): Promise<RunReport> {
    const { signal, checkpoint, pool, config } = this.#parts;
    const { train, reward } = config;
    await this.#tellWeights("0", { iteration: 0, weights: checkpoint.weights, folder: config.model.checkpoint ?? "" });
    await this.#measure("ungoverned", 0);
    if (!signal.aborted) await this.#measure("before", 0);
    const learner = new Learner({ weights: checkpoint.weights, source: pool, train, channels: reward.channels });
    let iteration = await this.#restore(learner);
    const ahead = new RolloutsAhead(iteration, (next) => this.#gather(next));
    this.#learnedAt = performance.now();
    for (;;) {
      if (!this.#standing.reached) ahead.beginUpTo(this.#mayBegin(iteration));
      if (!ahead.hasNext) break;
      await this.#iterate(++iteration, learner, ahead);
      if (signal.aborted) continue;
      await this.#look(iteration, learner);
      if (train.evalEvery > 0 && iteration % train.evalEvery === 0) this.#learnedAt = performance.now();
    }
    await this.#saveWeights(learner, iteration);
    if (!signal.aborted) await this.#measure("after", iteration);
    return this.report(signal.aborted ? "cancelled" : "succeeded");
  }

  /** @returns The last iteration that is done. */
  async #restore(learner: Learner): Promise<number> {
    const state = this.#parts.earlier?.state ?? null;
    if (state === null) {
      this.#policies = [learner.weights.slice()];
      return 0;
    }
    learner.restore(state.learner);
    this.#parts.pool.faults.restore(state.taskFaults);
    this.#policies = [...state.policies, learner.weights.slice()];
    this.#policies.forEach((weights, index) => {
      this.#parts.pool.publishPolicy(state.iteration + 1 - this.#policies.length + index, weights);
    });
    await this.#saveDue(state.iteration, learner);
    for (let iteration = 1; iteration <= state.iteration && !this.#parts.signal.aborted; iteration++) {
      await this.#look(iteration, learner);
    }
    return state.iteration;
  }

  /** Evaluates after an iteration, where it is time, and keeps the weights that were never bettered. Changes nothing of what follows. */
  async #look(iteration: number, learner: Learner): Promise<void> {
    const { planner, config } = this.#parts;
    const { evalEvery, evalEpisodes, governed, keepBest } = config.train;
    if (evalEvery === 0 || iteration % evalEvery !== 0) return;
    const split = planner.watchedSplit;
    const plan = planner.evaluation("eval", { split, episodes: evalEpisodes, weights: iteration, governed });
    const measure = await this.#evaluate(plan);
    this.#standing.add({ iteration, measure });
    // A resumed run looks at all its evaluations again; it has the weights of the last iteration alone.
    const hasWeights = iteration >= (this.#parts.earlier?.state?.iteration ?? 0);
    if (keepBest && hasWeights && this.#standing.best?.iteration === iteration) {
      await this.#saveWeights(learner, iteration, { name: "best", measure });
    }
  }

  /** What the run has to show so far. */
  report(status: RunStatus): RunReport {
    const { config } = this.#parts;
    const wallSeconds = this.#wallSeconds();
    return {
      run: this.#parts.directory.run,
      status,
      seed: config.train.seed,
      wallSeconds,
      time: timeSplitOf(this.#curve, { wallSeconds, evaluationSeconds: this.#evaluationSeconds }),
      iterations: this.#curve.length,
      episodes: this.#episodes,
      quarantinedEpisodes: this.#quarantinedEpisodes,
      quarantinedTasks: [...this.#parts.pool.faults.quarantined],
      workers: workerCountOf(config),
      before: this.#measures.before ?? null,
      after: this.#measures.after ?? null,
      ungoverned: this.#measures.ungoverned ?? null,
      config: {
        "train.groupsPerBatch": config.train.groupsPerBatch,
        "train.groupSize": config.train.groupSize,
        "train.learningRate": config.train.learningRate,
        "train.costMultiplier": config.train.costMultiplier,
        "train.governed": config.train.governed,
        "reward.channels": config.reward.channels,
        "model.checkpoint": config.model.checkpoint ?? "",
      },
      curve: this.#curve,
      evaluations: [...this.#standing.evaluations],
      best: this.#standing.best,
      machine: describeMachine(),
      audit: this.#parts.audit.tree,
    };
  }

  async #measure(phase: Phase & ("ungoverned" | "before" | "after"), weights: number): Promise<void> {
    const { planner, config } = this.#parts;
    const episodes = config.train.evalEpisodes;
    const plan = planner.evaluation(phase, {
      split: "test",
      episodes,
      weights,
      governed: phase !== "ungoverned" && config.train.governed,
    });
    this.#measures[phase] = await this.#evaluate(plan);
  }

  /** What is stored of an evaluation already is measured again, not done again. */
  async #evaluate(plan: BatchPlan): Promise<Measure> {
    const { emit, earlier } = this.#parts;
    const { phase, iteration } = plan;
    if (earlier?.iterations.some((done) => done.phase === phase && done.iteration === iteration)) {
      return measureOf(await earlier.episodes(phase, iteration));
    }
    const start = performance.now();
    const batch = await this.#rollOut(plan);
    const evaluationSeconds = (performance.now() - start) / 1000;
    this.#evaluationSeconds += evaluationSeconds;
    await this.#store(plan, batch, { metrics: { ...batchMetrics(batch), evaluationSeconds } });
    const measure = measureOf(batch.episodes.map((episode) => episode.summary));
    emit({ type: "evaluation-end", phase, measure });
    return measure;
  }

  /** Over all processes that the run has had. */
  #wallSeconds(): number {
    return (this.#parts.earlier?.wallSeconds ?? 0) + (performance.now() - this.#startedAt) / 1000;
  }

  /** The last iteration whose batch can be rolled out once so many are learned from: one that no evaluation comes before. */
  #mayBegin(done: number, { evaluated = true } = {}): number {
    const { signal, config } = this.#parts;
    const { iterations, evalEvery } = config.train;
    if (signal.aborted) return done;
    const next = Math.min(iterations, done + 1 + stalenessOf(config));
    if (evalEvery === 0) return next;
    const isDue = !evaluated && done % evalEvery === 0;
    return isDue ? done : Math.min(next, (Math.floor(done / evalEvery) + 1) * evalEvery);
  }

  #gather(iteration: number): Promise<GatheredBatch> {
    const { planner, config } = this.#parts;
    return gather(iteration, {
      ...{ planner, train: config.train, channels: config.reward.channels },
      rollOut: (part) => this.#rollOut(part),
    });
  }

  async #iterate(iteration: number, learner: Learner, ahead: RolloutsAhead): Promise<void> {
    const { emit, config, pool } = this.#parts;
    const { iterations } = config.train;
    const start = performance.now();
    const { plan, batch, metrics: gathered } = await ahead.take();
    // Before the next batch begins: a resumed run does that one again.
    const { faultsByTask } = pool.faults;
    const rolled = performance.now();
    const { advantages, metrics } = await learner.update(batch, iteration);
    this.#publish(iteration, learner);
    ahead.beginUpTo(this.#mayBegin(iteration, { evaluated: false }));
    const learned = performance.now();
    const figures = {
      ...batchMetrics(batch),
      ...metrics,
      ...gathered,
      staleness: iteration - 1 - plan.weights,
      rolloutSeconds: (rolled - start) / 1000,
      learnSeconds: (learned - rolled) / 1000,
      // A batch of quarantined tasks alone takes no time.
      episodesPerSecond: batch.episodes.length / (Math.max(learned - this.#learnedAt, 1) / 1000),
    };
    this.#learnedAt = learned;
    const weights = weightsDigest(learner.weights);
    this.#update = weights;
    // Before the store has the iteration: with either of the two the run can go on, whenever it is stopped.
    this.#saveState(learner, { iteration, taskFaults: faultsByTask });
    await this.#store(plan, batch, { metrics: figures, advantages });
    this.#states.keep(iteration);
    this.#tellUpdate(iteration, { start: rolled, end: learned }, { weights, metrics });
    const metricsWithStore = { ...figures, storeSeconds: (performance.now() - learned) / 1000 };
    this.#episodes += batch.episodes.length;
    this.#curve.push({ iteration, metrics: metricsWithStore });
    await this.#saveDue(iteration, learner);
    emit({ type: "iteration-end", iteration, iterations, metrics: metricsWithStore });
  }

  /** The learner's weights become the newest policy. */
  #publish(updates: number, learner: Learner): void {
    const { pool, config } = this.#parts;
    pool.publishPolicy(updates, learner.weights);
    this.#policies = [...this.#policies, learner.weights.slice()].slice(-1 - stalenessOf(config));
  }

  #tellUpdate(
    iteration: number,
    { start, end }: { readonly start: number; readonly end: number },
    update: { readonly weights: string; readonly metrics: Readonly<Record<string, number>> },
  ): void {
    const [startMs, endMs] = [performance.timeOrigin + start, performance.timeOrigin + end];
    this.#parts.telemetry?.update({ iteration, startMs, endMs, ...update });
  }

  /** Episodes whose records do not agree with what came back are out of it before anything is learned. */
  async #rollOut(plan: BatchPlan): Promise<FinishedBatch> {
    const startMs = Date.now();
    try {
      const reconciled = await inTurns(reconciling(await this.#parts.pool.run(plan)));
      const batch = { ...reconciled, times: { startMs, endMs: Date.now() } };
      this.#tellQuarantined(batch);
      return batch;
    } catch (error) {
      if (error instanceof NothingCameBack) this.#tellQuarantined(error.batch);
      throw error;
    }
  }

  #tellQuarantined({ episodes }: FinishedBatch): void {
    for (const { summary } of episodes) {
      if (summary.outcome !== "quarantined") continue;
      this.#parts.emit({
        type: "episode-quarantined",
        episode: summary.key.id,
        reason: summary.error?.message ?? "",
      });
    }
  }

  async #store(
    { phase, iteration, weights }: BatchPlan,
    batch: FinishedBatch,
    learned: { readonly metrics: Readonly<Record<string, number>>; readonly advantages?: readonly number[] },
  ): Promise<void> {
    const episodes = storedEpisodes(batch, learned.advantages);
    const trajectories = packTrajectories(batch.episodes.map(({ trajectory }) => trajectory));
    await withinStoreDeadline(
      this.#parts.audit.store(
        { phase, iteration, weights, episodes, metrics: learned.metrics, trajectories },
        { segments: batch.audit, update: this.#update },
      ),
      this.#parts.config.deadlines,
      "taken a batch",
    );
    this.#update = undefined;
    // Of what is not stored, the report must not tell.
    this.#quarantinedEpisodes += episodes.filter(({ outcome }) => outcome === "quarantined").length;
    const times = batch.times ?? { startMs: 0, endMs: 0 };
    this.#parts.telemetry?.batch({ phase, iteration, episodes, segments: batch.audit, ...times });
  }

  #saveState(learner: Learner, done: Pick<RunState, "iteration" | "taskFaults">): void {
    const { audit, directory, tasks } = this.#parts;
    const { run } = directory;
    this.#states.write({
      ...{ ...done, run, tasks, tree: audit.tree, wallSeconds: this.#wallSeconds(), learner: learner.state() },
      policies: this.#policies.slice(0, -1),
    });
  }

  async #saveDue(iteration: number, learner: Learner): Promise<void> {
    const { checkpointEvery } = this.#parts.config.train;
    if (checkpointEvery > 0 && iteration % checkpointEvery === 0) await this.#saveWeights(learner, iteration);
  }

  /** Names the signed tree that holds the episodes that the weights were trained on. */
  async #saveWeights(
    learner: Learner,
    iteration: number,
    best?: { readonly name: "best"; readonly measure: Measure },
  ): Promise<void> {
    const { audit, checkpoint, directory } = this.#parts;
    const { weights } = learner;
    const origin = { run: directory.run, iteration, sha256: weightsDigest(weights), tree: audit.tree };
    const name = best?.name ?? iteration;
    const folder = directory.checkpoint(name);
    saveCheckpoint(folder, {
      ...checkpoint,
      weights,
      provenance: { ...checkpoint.provenance, ...origin, ...(best === undefined ? {} : { measure: best.measure }) },
    });
    await this.#tellWeights(String(name), { iteration, weights, folder });
  }

  /** Those of a checkpoint become resources of the store. */
  async #tellWeights(
    name: string,
    {
      iteration,
      weights,
      folder,
    }: { readonly iteration: number; readonly weights: Float32Array; readonly folder: string },
  ): Promise<void> {
    const { length: parameters } = weights;
    const url = pathToFileURL(resolve(folder)).href;
    const { audit, config } = this.#parts;
    const kept = { name, iteration, sha256: weightsDigest(weights), parameters, url };
    await withinStoreDeadline(audit.storeWeights(kept), config.deadlines, "taken the place of a checkpoint");
  }
}
