import type { GatheredBatch } from "./gather.ts";

/** Training batches that are rolled out one after the other, ahead of whoever learns from them. */
export class RolloutsAhead {
  readonly #gather: (iteration: number) => Promise<GatheredBatch>;
  readonly #batches: Promise<GatheredBatch>[] = [];
  #begun: number;
  #newest: Promise<unknown> = Promise.resolve();

  /** @param done The last iteration that is learned from already. */
  constructor(done: number, gather: (iteration: number) => Promise<GatheredBatch>) {
    this.#begun = done;
    this.#gather = gather;
  }

  /** Begins the batches up to that of an iteration, each when the one before it is whole, so that a worker's records stay in order. */
  beginUpTo(iteration: number): void {
    while (this.#begun < iteration) {
      const next = ++this.#begun;
      const batch = this.#newest.then(() => this.#gather(next));
      // Whoever takes it is told; nobody may.
      batch.catch(() => {});
      this.#batches.push(batch);
      this.#newest = batch;
    }
  }

  /** Whether a batch was begun that nobody took. */
  get hasNext(): boolean {
    return this.#batches.length > 0;
  }

  /** The next batch, once it is whole. */
  take(): Promise<GatheredBatch> {
    const batch = this.#batches.shift();
    if (batch === undefined) throw new RangeError("no batch was begun");
    return batch;
  }
}
