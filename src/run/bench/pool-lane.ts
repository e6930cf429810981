import type { Worker } from "node:worker_threads";
import type { ResolvedConfig } from "../../config/config-schema.ts";
import type { TimedSegment } from "../../core/audit.ts";
import { inTurns, ownTurn } from "../../core/steps.ts";
import { packTrajectories } from "../../core/trajectory.ts";
import type { Checkpoint } from "../../model/checkpoint.ts";
import type { AuditTrail } from "../audit-trail.ts";
import type { FinishedBatch } from "../dispatch.ts";
import { batchMetrics, storedEpisodes } from "../measurement.ts";
import type { BatchPlan, Planner } from "../plan.ts";
import { reconciling } from "../reconcile.ts";
import { RolloutPool } from "../rollout-pool.ts";
import { checkEpisodes, checkRunning, type Lane, type Turn, TurnCount } from "./lane.ts";

export interface PoolLaneParts {
  readonly config: ResolvedConfig & { readonly workers: number };
  /** `null` where the config has an agent. */
  readonly checkpoint: Checkpoint | null;
  readonly planner: Planner;
  /** Whether episodes are recorded; what is not cannot be stored. */
  readonly recorded: boolean;
  /** Where batches are stored; `null` stores none. */
  readonly audit: AuditTrail | null;
  readonly tell: (text: string) => void;
  /** Whether records say when they were made, which takes time. */
  readonly timed?: boolean;
}

/** Batches as training has them: each is merged, signed and stored while the next is rolled out. Nothing is learned. */
export class PoolLane implements Lane {
  readonly stored: boolean;
  readonly #workers: number;
  readonly #planner: Planner;
  readonly #recorded: boolean;
  readonly #audit: AuditTrail | null;
  readonly #pool: RolloutPool;
  #iteration = 0;
  /** Of the last batch. */
  #segments: readonly TimedSegment[] = [];

  constructor({ config, checkpoint, planner, recorded, audit, tell, timed = false }: PoolLaneParts) {
    this.#workers = config.workers;
    this.stored = audit !== null;
    this.#planner = planner;
    this.#recorded = recorded;
    this.#audit = audit;
    this.#pool = new RolloutPool(config, checkpoint, ({ reason }) => tell(reason), { timed });
  }

  get threads(): readonly Worker[] {
    return this.#pool.threads;
  }

  /** Records of the last batch. */
  get segments(): readonly TimedSegment[] {
    return this.#segments;
  }

  async warmUp(): Promise<void> {
    const first = this.#nextPlan();
    await this.#keep(await this.#rollOut(first));
    // A small batch has fewer tasks than there are workers: as many batches as keep all of them busy.
    for (let tasks = first.tasks.length; tasks < this.#workers; tasks += first.tasks.length) {
      await this.#keep(await this.#rollOut(this.#nextPlan()));
    }
  }

  /** The first batch of a turn is not counted, as nothing came before it; nor is the last, which nothing is under way beside. */
  async takeTurn(seconds: number, signal: AbortSignal): Promise<Turn> {
    const end = performance.now() + seconds * 1000;
    let next = this.#rollOut(this.#nextPlan());
    let count: TurnCount | undefined;
    for (;;) {
      const done = await next;
      const goesOn = !signal.aborted && (performance.now() < end || (count?.batches ?? 0) < 1);
      if (goesOn) next = this.#rollOut(this.#nextPlan());
      await this.#keep(done);
      checkRunning(signal);
      if (!goesOn) break;
      if (count === undefined) count = new TurnCount();
      else count.add(done.batch);
    }
    return (count as TurnCount).turn;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  #nextPlan(): BatchPlan {
    const plan = this.#planner.training(++this.#iteration);
    // Nothing is learned: every batch is the base policy's.
    return {
      ...plan,
      weights: 0,
      tasks: plan.tasks.map((task) => ({ ...task, weights: 0, recorded: this.#recorded })),
    };
  }

  #rollOut(plan: BatchPlan): Promise<RolledOutBatch> {
    const rolled = this.#reconciled(plan);
    // Whoever takes it is told; where what comes before it fails, nobody takes it.
    rolled.catch(() => {});
    return rolled;
  }

  async #reconciled(plan: BatchPlan): Promise<RolledOutBatch> {
    const batch = await this.#pool.run(plan);
    return { plan, batch: this.#recorded ? await inTurns(reconciling(batch)) : batch };
  }

  async #keep({ plan, batch }: RolledOutBatch): Promise<void> {
    checkEpisodes(batch);
    this.#segments = batch.audit;
    if (this.#audit === null) return;
    // The next batch was begun in this one.
    await ownTurn();
    const { phase, iteration, weights } = plan;
    const trajectories = packTrajectories(batch.episodes.map(({ trajectory }) => trajectory));
    await this.#audit.store(
      {
        ...{ phase, iteration, weights, episodes: storedEpisodes(batch), metrics: batchMetrics(batch), trajectories },
        recorded: batch.recorded,
      },
      { segments: batch.audit },
    );
  }
}

interface RolledOutBatch {
  readonly plan: BatchPlan;
  readonly batch: FinishedBatch;
}
