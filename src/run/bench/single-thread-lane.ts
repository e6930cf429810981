import type { ResolvedConfig } from "../../config/config-schema.ts";
import type { EpisodeKey } from "../../core/episode.ts";
import { unpackEpisodes } from "../../core/episode-columns.ts";
import { trajectoryAt } from "../../core/trajectory.ts";
import type { Checkpoint } from "../../model/checkpoint.ts";
import type { FinishedBatch } from "../dispatch.ts";
import type { Planner } from "../plan.ts";
import { policySlot, type RolloutTask, shareWeights } from "../rollout.ts";
import { RolloutHost } from "../rollout-host.ts";
import { actorOf, setupOf } from "../rollout-pool.ts";
import { checkEpisodes, checkRunning, type Lane, type Turn, TurnCount } from "./lane.ts";

/** The same episodes in a loop of the main thread, one task after the other, without pool and store. */
export class SingleThreadLane implements Lane {
  readonly stored = false;
  readonly threads = [];
  readonly segments = [];
  readonly #planner: Planner;
  readonly #host: RolloutHost;
  readonly #slot: number;
  readonly #recorded: boolean;
  #iteration = 0;
  #tasks: RolloutTask[] = [];

  private constructor(host: RolloutHost, parts: { planner: Planner; slot: number; recorded: boolean }) {
    this.#host = host;
    this.#planner = parts.planner;
    this.#slot = parts.slot;
    this.#recorded = parts.recorded;
  }

  static async open(
    config: ResolvedConfig,
    parts: { readonly checkpoint: Checkpoint | null; readonly planner: Planner; readonly recorded: boolean },
  ): Promise<SingleThreadLane> {
    const { checkpoint, planner, recorded } = parts;
    const weights = checkpoint === null ? null : shareWeights(checkpoint.weights, 1);
    const host = await RolloutHost.boot(setupOf(config, actorOf(config, checkpoint, weights)));
    const slot = weights === null ? 0 : policySlot(weights, 0);
    return new SingleThreadLane(host, { planner, slot, recorded });
  }

  async warmUp(): Promise<void> {
    await this.#run(this.#nextTask());
  }

  async takeTurn(seconds: number, signal: AbortSignal): Promise<Turn> {
    const end = performance.now() + seconds * 1000;
    const count = new TurnCount();
    do {
      checkRunning(signal);
      count.add(await this.#run(this.#nextTask()));
    } while (performance.now() < end);
    return count.turn;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#host[Symbol.dispose]();
  }

  #nextTask(): RolloutTask {
    if (this.#tasks.length === 0) this.#tasks = [...this.#planner.training(++this.#iteration).tasks];
    return { ...(this.#tasks.shift() as RolloutTask), weights: 0, recorded: this.#recorded };
  }

  async #run(task: RolloutTask): Promise<FinishedBatch> {
    const { worker, episodes, trajectories } = await this.#host.run(task, this.#slot);
    const batch = {
      episodes: unpackEpisodes(episodes, task.keys as EpisodeKey[]).map((summary, index) => ({
        ...{ summary, trajectory: trajectoryAt(trajectories, index), worker, attempt: 1 },
      })),
      audit: [],
    };
    checkEpisodes(batch);
    return batch;
  }
}
