import type { Worker } from "node:worker_threads";
import type { ResolvedConfig } from "../../config/config-schema.ts";
import type { Environment } from "../../core/env.ts";
import type { Checkpoint } from "../../model/checkpoint.ts";
import type { BenchRunner } from "../../report/bench-report.ts";
import { loadEnvironment } from "../load-environment.ts";
import { Planner } from "../plan.ts";
import { openPolicyModel } from "../policy-model.ts";
import type { BenchStore } from "./bench-store.ts";
import type { Lane } from "./lane.ts";
import { PiscinaLane } from "./piscina-lane.ts";
import { PoolLane } from "./pool-lane.ts";
import { SingleThreadLane } from "./single-thread-lane.ts";

/** Which way to run a workload. */
export interface LaneSpec {
  readonly runner: BenchRunner;
  /** 0 without a pool. */
  readonly workers: number;
  readonly governed: boolean;
}

/** In words, for whoever waits. */
export function nameOf({ runner, workers, governed }: LaneSpec): string {
  if (runner === "piscina") return `piscina with ${workers} ${workers === 1 ? "worker" : "workers"}`;
  const who = runner === "single-thread" ? "one thread without pool and store" : `workers ${workers}`;
  return governed ? who : `${who}, ungoverned`;
}

/** Opens the lanes of one workload. */
export class LaneMaker {
  readonly workload: string;
  readonly #config: ResolvedConfig;
  readonly #environment: Environment;
  readonly #checkpoint: Checkpoint | null;
  readonly #store: BenchStore | null;
  readonly #tell: (text: string) => void;

  private constructor(parts: {
    readonly workload: string;
    readonly config: ResolvedConfig;
    readonly environment: Environment;
    readonly checkpoint: Checkpoint | null;
    readonly store: BenchStore | null;
    readonly tell: (text: string) => void;
  }) {
    this.workload = parts.workload;
    this.#config = parts.config;
    this.#environment = parts.environment;
    this.#checkpoint = parts.checkpoint;
    this.#store = parts.store;
    this.#tell = parts.tell;
  }

  /** @throws {InputError} where the environment or the policy model cannot be had. */
  static async of(
    { name, config }: { readonly name: string; readonly config: ResolvedConfig },
    parts: { readonly store: BenchStore | null; readonly tell: (text: string) => void },
  ): Promise<LaneMaker> {
    const environment = await loadEnvironment(config);
    const checkpoint = config.agent === undefined ? openPolicyModel(config, environment) : null;
    new Planner(environment.tasks, config.train).tasksOf("train");
    return new LaneMaker({ workload: name, config, environment, checkpoint, ...parts });
  }

  /** Threads that write what lanes store. */
  get storeThreads(): readonly Worker[] {
    return this.#store?.threads ?? [];
  }

  /** @param options.timed Whether records say when they were made, which takes time. */
  async make({ runner, workers, governed }: LaneSpec, options: { readonly timed?: boolean } = {}): Promise<Lane> {
    if (runner === "piscina") return new PiscinaLane(workers);
    const config = { ...this.#config, train: { ...this.#config.train, governed } };
    // What nobody governs is not recorded either: the row says what the whole of it costs.
    const parts = {
      recorded: governed,
      checkpoint: this.#checkpoint,
      planner: new Planner(this.#environment.tasks, config.train),
    };
    if (runner === "single-thread") return SingleThreadLane.open(config, parts);
    const audit = governed ? ((await this.#store?.begin(config)) ?? null) : null;
    return new PoolLane({ ...parts, config: { ...config, workers }, audit, tell: this.#tell, ...options });
  }
}
