import type { Worker } from "node:worker_threads";
import { BareTasks } from "../../pool/bare-tasks.ts";
import { checkRunning, type Lane, type Turn, TurnCount } from "./lane.ts";

/** Tasks of a batch: enough that sending the first ones does not show. */
const batchTasks = 2_000;

/** As many tasks that do nothing, one an episode, on piscina as it comes. */
export class PiscinaLane implements Lane {
  readonly stored = false;
  readonly segments = [];
  readonly #tasks: BareTasks;

  constructor(workers: number) {
    this.#tasks = new BareTasks(workers);
  }

  get threads(): readonly Worker[] {
    return this.#tasks.threads;
  }

  async warmUp(): Promise<void> {
    await this.#tasks.run(batchTasks);
  }

  async takeTurn(seconds: number, signal: AbortSignal): Promise<Turn> {
    const end = performance.now() + seconds * 1000;
    const count = new TurnCount();
    do {
      checkRunning(signal);
      await this.#tasks.run(batchTasks);
      count.addCounts({ episodes: batchTasks, steps: 0, tokens: 0 });
    } while (performance.now() < end);
    return count.turn;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
  }
}
