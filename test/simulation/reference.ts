import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { ResolvedConfig } from "../../src/config/config-schema.ts";
import type { Environment } from "../../src/core/env.ts";
import type { AuditTrail } from "../../src/run/audit-trail.ts";
import type { FinishedBatch, RolledOut } from "../../src/run/dispatch.ts";
import { lostEpisode } from "../../src/run/lost-episode.ts";
import { type BatchPlan, Planner } from "../../src/run/plan.ts";
import { RolloutPool } from "../../src/run/rollout-pool.ts";
import { RunDirectory } from "../../src/run/run-directory.ts";
import { type Pool, TrainingRun } from "../../src/run/training-run.ts";
import type { StoredEpisode } from "../../src/store/lightning-store.ts";
import type { RunTelemetry } from "../../src/telemetry/run-telemetry.ts";
import { lampsModel } from "./lamps-model.ts";
import { calmScenario } from "./scenario.ts";
import { SimulatedProcess } from "./simulated-time.ts";
import { SimulatedWorkers } from "./simulated-workers.ts";
import { simulationFolder } from "./simulation.ts";

/** SHA-256 of the weights after each iteration, from the first. */
export type WeightsByIteration = readonly string[];

const known = new Map<string, Promise<WeightsByIteration>>();

/**
 * The same training in one process in which nothing happens, but that the same episodes are lost.
 * @param episodes All that the disturbed run has stored, by name.
 */
export function referenceWeights(
  config: ResolvedConfig,
  environment: Environment,
  episodes: ReadonlyMap<string, StoredEpisode>,
): Promise<WeightsByIteration> {
  const isWhole = [...episodes.values()].every((episode) => !isLost(episode) && episode.outcome !== "killed");
  if (!isWhole) return undisturbed(config, environment, (inner) => new LosingPool(inner, episodes));
  const key = JSON.stringify(config.train);
  const weights = known.get(key) ?? undisturbed(config, environment, (inner) => inner);
  known.set(key, weights);
  return weights;
}

export function isLost({ outcome }: Pick<StoredEpisode, "outcome">): boolean {
  return outcome === "failed" || outcome === "timed-out" || outcome === "quarantined";
}

async function undisturbed(
  given: ResolvedConfig,
  environment: Environment,
  wrap: (pool: RolloutPool) => Pool,
): Promise<WeightsByIteration> {
  const config = { ...given, workers: 1, concurrentTasksPerWorker: 1 };
  const process = new SimulatedProcess();
  const weights: string[] = [];
  const train = async () => {
    using directory = RunDirectory.create(join(mkdtempSync(join(simulationFolder, "reference-")), "run"));
    await using pool = new RolloutPool(
      config,
      lampsModel,
      () => {},
      {},
      (options) => {
        return new SimulatedWorkers(options, { scenario: calmScenario(config), process, kill: () => {} });
      },
    );
    const run = new TrainingRun({
      ...{ config, planner: new Planner(environment.tasks, config.train), checkpoint: lampsModel, directory },
      ...{ pool: wrap(pool), audit: nowhere, tasks: "", earlier: null, signal: new AbortController().signal },
      emit: () => {},
      telemetry: {
        update: ({ weights: digest }: { weights: string }) => weights.push(digest),
        batch() {},
      } as unknown as RunTelemetry,
    });
    await run.run();
  };
  const end = await process.live(train(), () => undefined);
  if (end?.status === "rejected") throw end.reason;
  return weights;
}

/** Keeps nothing. */
const nowhere = {
  tree: { origin: "", size: 0, root: "" },
  store: async () => {},
  storeWeights: async () => {},
} as unknown as AuditTrail;

/** What was killed is as far as it had come then. */
function killed(episode: RolledOut, stored: StoredEpisode): RolledOut {
  const { tokens, chosen, logProbabilities } = episode.trajectory;
  const [from, to] = [0, stored.tokenCount];
  return {
    ...episode,
    // Its records go on here; what no worker gave is not compared with records.
    worker: 0,
    summary: { ...stored, key: episode.summary.key },
    trajectory: {
      tokens: tokens.slice(from, to),
      chosen: chosen.slice(from, to),
      logProbabilities: logProbabilities.slice(from, to),
    },
  };
}

/** Rolls out all that is planned, and then loses what the disturbed run has lost. */
class LosingPool implements Pool {
  readonly #inner: RolloutPool;
  readonly #stored: ReadonlyMap<string, StoredEpisode>;

  constructor(inner: RolloutPool, stored: ReadonlyMap<string, StoredEpisode>) {
    this.#inner = inner;
    this.#stored = stored;
  }

  async run(plan: BatchPlan): Promise<FinishedBatch> {
    const batch = await this.#inner.run(plan);
    const episodes = batch.episodes.map((episode) => {
      const { key } = episode.summary;
      const stored = this.#stored.get(key.id);
      if (stored?.outcome === "killed") return killed(episode, stored);
      if (stored !== undefined && !isLost(stored)) return episode;
      const outcome = stored?.outcome ?? "failed";
      return lostEpisode(key, { outcome, error: { boundary: "worker", message: "lost" } }, 1);
    });
    return { ...batch, episodes };
  }

  publishPolicy(updates: number, weights: Float32Array): void {
    this.#inner.publishPolicy(updates, weights);
  }

  publish(weights: Float32Array): void {
    this.#inner.publish(weights);
  }

  gradients(shards: Parameters<Pool["gradients"]>[0]): ReturnType<Pool["gradients"]> {
    return this.#inner.gradients(shards);
  }

  get faults(): Pool["faults"] {
    return this.#inner.faults;
  }
}
