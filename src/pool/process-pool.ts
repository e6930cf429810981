import { ChildWorker, type HeldTask } from "./child-worker.ts";
import { MirroredMemory, packedSetup } from "./mirrored-memory.ts";
import { WorkerFault } from "./worker-fault.ts";
import type { PoolOptions, TaskOptions, Workers } from "./workers.ts";

export interface ProcessPoolOptions extends PoolOptions {
  /** Called after each process was given the setup as it is by then. */
  readonly onSpawned?: () => void;
}

/**
 * A fixed number of child processes, each with one worker thread: what that cannot contain ends its process alone. Memories of the setup are
 * copied to every process and kept alike, so that workers need not know where they run. One that ends is replaced, as in a pool of threads.
 */
export class ProcessPool<Task extends object, Result> implements Workers<Task, Result> {
  readonly threads = [];
  readonly #options: ProcessPoolOptions;
  readonly #memory: MirroredMemory;
  readonly #children = new Set<ChildWorker>();
  readonly #waiting: HeldTask[] = [];
  #spawnCount = 0;
  #closed = false;

  constructor(options: ProcessPoolOptions) {
    this.#options = options;
    this.#memory = MirroredMemory.of(options.setup);
    for (let index = 0; index < options.workers; index++) this.#spawn();
  }

  async run(task: Task, { signal, onAssigned, watched }: TaskOptions = {}): Promise<Result> {
    if (this.#closed) throw new WorkerFault("died", new Error("the pool is closed"));
    if (signal?.aborted) throw new WorkerFault("ended", signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const write = watched ? this.#memory.writeOf(watched) : null;
    const held: HeldTask = { task, watched: write, onAssigned, resolve, reject };
    const abort = () => this.#abort(held, signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    this.#waiting.push(held);
    // One that could not start has had no replacement.
    if (this.#children.size < this.#options.workers) this.#spawn();
    this.#spread();
    try {
      return (await promise) as Result;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  retire(worker: number): void {
    const child = [...this.#children].find(({ id }) => id === worker);
    if (child === undefined) return;
    child.isRetiring = true;
    this.#endRetired(child);
  }

  share(written: ArrayBufferView<SharedArrayBuffer>, { isWatched = false } = {}): void {
    const write = this.#memory.writeOf(written);
    for (const child of this.#children) child.tell({ type: "write", write, isWatched });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#rejectWaiting(new WorkerFault("ended", closing));
    const children = [...this.#children];
    for (const child of children) child.end(closing.message, () => new WorkerFault("ended", closing));
    await Promise.all(children.map(({ exited }) => exited));
  }

  #spawn(): void {
    const { file, setup, tasksPerWorker = 1, limits = null, onMessage, onSpawned } = this.#options;
    const start = { type: "start", file: file.href, setup: packedSetup(setup), tasksPerWorker, limits } as const;
    const child = new ChildWorker(++this.#spawnCount, start, {
      onWrite: (write) => this.#memory.apply(write),
      onMessage: (message) => onMessage?.(message),
      onFree: (freed) => {
        this.#endRetired(freed);
        this.#spread();
      },
      onEnd: (ended, { reason, unbegun }) => this.#replace(ended, reason, unbegun),
    });
    this.#children.add(child);
    onSpawned?.();
  }

  /** Gives what waits to whoever has least to do. */
  #spread(): void {
    const { tasksPerWorker = 1 } = this.#options;
    while (this.#waiting.length > 0) {
      const free = [...this.#children].filter((child) => !child.isRetiring && child.taskCount < tasksPerWorker);
      const child = free.sort((one, other) => one.taskCount - other.taskCount)[0];
      if (child === undefined) return;
      child.give(this.#waiting.shift() as HeldTask);
    }
  }

  #abort(held: HeldTask, reason: unknown): void {
    const fault = new WorkerFault("ended", reason);
    const place = this.#waiting.indexOf(held);
    if (place >= 0) {
      this.#waiting.splice(place, 1);
      held.reject(fault);
      return;
    }
    const holder = [...this.#children].find((child) => child.holds(held));
    holder?.end(neighbour.message, (each) => (each === held ? fault : new WorkerFault("ended", neighbour)));
  }

  #endRetired(child: ChildWorker): void {
    if (child.isRetiring && child.taskCount === 0) child.end("it was replaced", () => null);
  }

  /** One that never started has no replacement: where none lives, nobody will do what waits. */
  #replace(ended: ChildWorker, reason: string, unbegun: readonly HeldTask[]): void {
    this.#children.delete(ended);
    if (this.#closed) return;
    this.#waiting.unshift(...unbegun);
    if (ended.hasStarted) this.#spawn();
    if (this.#children.size > 0) this.#spread();
    else this.#rejectWaiting(new WorkerFault("boot", new Error(`no worker starts: ${reason}`)));
  }

  #rejectWaiting(fault: WorkerFault): void {
    for (const held of this.#waiting.splice(0)) held.reject(fault);
  }
}

const closing = new Error("the pool is closed");
const neighbour = new Error("another task of its worker was ended");
