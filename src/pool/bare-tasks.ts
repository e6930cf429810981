import type { Worker } from "node:worker_threads";
import { Piscina } from "piscina";
import { workerFile } from "./worker-file.ts";

/** piscina as it comes, with tasks that do nothing: what our batches are measured against. */
export class BareTasks implements AsyncDisposable {
  readonly #piscina: Piscina;

  constructor(workers: number) {
    this.#piscina = new Piscina({ filename: workerFile("bare").href, minThreads: workers, maxThreads: workers });
  }

  get threads(): readonly Worker[] {
    return this.#piscina.threads;
  }

  /** Has so many tasks done, all of them queued at once. */
  async run(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, (_, index) => this.#piscina.run(index)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#piscina.destroy();
  }
}
