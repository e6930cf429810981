import type { ResourceLimits, Worker } from "node:worker_threads";
import { move, Piscina, queueOptionsSymbol } from "piscina";
import { messageOf } from "../core/errors.ts";
import { HeapWatch } from "./heap-watch.ts";
import { kindOf, WorkerFault } from "./worker-fault.ts";
import type { PoolOptions, TaskOptions, WorkerLimits, Workers } from "./workers.ts";

export interface ThreadPoolOptions extends PoolOptions {
  /** Told of each thread that has loaded its code. With it, threads start when the first task comes. */
  readonly onStarted?: () => void;
  /** Told of each thread that has ended, with the last error of any. */
  readonly onEnded?: (reason: string) => void;
}

/** How long a thread that was ended may take. */
const endMs = 5_000;

/**
 * A fixed number of worker threads. A worker that dies is replaced, and the tasks it held are rejected. Where none lives and none can be
 * started, the tasks that wait are rejected too: every task is settled.
 */
export class WorkerPool<Task extends object, Result> implements Workers<Task, Result> {
  readonly #piscina: Piscina;
  /** Threads that have started. piscina would give tasks to one that is still starting, and lose them with it. */
  readonly #started = new Set<number>();
  /** Tasks of each thread that are not settled. */
  readonly #usage = new Map<number, number>();
  readonly #heaps: HeapWatch | undefined;
  readonly #onUnended: PoolOptions["onUnended"];
  readonly #onStarted: ThreadPoolOptions["onStarted"];
  /** Threads that were ended because their heap was full. */
  readonly #full = new Set<number>();
  /** Threads that are given no more tasks, and are replaced when they have none. */
  readonly #retiring = new Set<number>();
  /** Aborted to reject the tasks that wait; those that come later wait on a new one. */
  #waiting = new AbortController();
  #lastError = "it ended while it started";
  #closed = false;

  constructor(options: ThreadPoolOptions) {
    const { file, workers, setup, tasksPerWorker = 1, limits, onMessage, onUnended, onStarted, onEnded } = options;
    this.#piscina = new Piscina({
      filename: file.href,
      // piscina takes threads that it starts at once for started.
      minThreads: onStarted === undefined ? workers : 0,
      maxThreads: workers,
      idleTimeout: Number.POSITIVE_INFINITY,
      workerData: setup,
      concurrentTasksPerWorker: tasksPerWorker,
      ...(limits === undefined ? {} : { resourceLimits: resourceLimits(limits) }),
      // A worker that waits in Atomics.wait cannot run promises of its own between messages.
      atomics: "disabled",
      loadBalancer: (task, threads) => {
        const free = threads.filter((each) => this.#takesTasks(each.id) && tasksOf(each) < tasksPerWorker);
        const chosen = free.sort((one, other) => tasksOf(one) - tasksOf(other))[0];
        if (chosen !== undefined) (task as unknown as QueuedTask)[queueOptionsSymbol]?.(chosen.id);
        return chosen ?? null;
      },
    });
    this.#onUnended = onUnended;
    this.#onStarted = onStarted;
    this.#heaps = limits && this.#watchHeaps(limits);
    if (onMessage !== undefined) this.#piscina.on("message", onMessage);
    this.#piscina.on("workerCreate", ({ id }: { readonly id: number }) => {
      this.#started.add(id);
      onStarted?.();
    });
    // Told before the worker is taken out and perhaps replaced.
    this.#piscina.on("workerDestroy", () => {
      queueMicrotask(() => {
        this.#rejectStranded();
        onEnded?.(this.#lastError);
      });
    });
    // A worker that dies without a task has none to reject.
    this.#piscina.on("error", (error) => {
      this.#lastError = messageOf(error);
    });
  }

  /** Those that live, for whoever measures them. */
  get threads(): readonly Worker[] {
    return this.#piscina.threads;
  }

  async run(task: Task, options: TaskOptions = {}): Promise<Result> {
    const signals = [this.#waiting.signal, ...(options.signal === undefined ? [] : [options.signal])];
    let thread: number | null = null;
    let worker: Worker | undefined;
    const assigned = (id: number) => {
      thread = id;
      worker = this.#threadOf(id);
      this.#usage.set(id, this.#usageOf(id) + 1);
      options.onAssigned?.(id);
    };
    // Those that piscina starts at once are given tasks while they load.
    const hasBegun = () => this.#onStarted !== undefined && thread !== null;
    try {
      if (this.#closed) throw new Error("the pool is closed");
      return await this.#piscina.run(queued(task, assigned), { signal: AbortSignal.any(signals) });
    } catch (error) {
      const isStranded = this.#waiting.signal !== signals[0] && signals[0]?.aborted;
      if (isStranded && !hasBegun()) throw new WorkerFault("boot", signals[0]?.reason);
      if (options.signal?.aborted) {
        if (worker !== undefined) this.#expectEnd(worker);
        throw new WorkerFault("ended", options.signal.reason);
      }
      if (thread !== null && this.#full.has(thread)) throw new WorkerFault("out-of-memory", heapFull);
      throw new WorkerFault(kindOf(error, this.#lives(thread)), error);
    } finally {
      if (thread !== null) this.#free(thread);
    }
  }

  retire(thread: number): void {
    this.#retiring.add(thread);
    this.#endRetired(thread);
  }

  /** Threads see memory as it is. */
  share(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#heaps?.[Symbol.dispose]();
    await this.#piscina.destroy();
  }

  #watchHeaps({ heapMb }: WorkerLimits): HeapWatch {
    return new HeapWatch({
      threads: () => this.#piscina.threads as readonly Worker[],
      bytesMax: heapMb * 2 ** 20,
      onFull: (worker) => {
        this.#full.add(worker.threadId);
        this.#expectEnd(worker);
        void worker.terminate();
      },
    });
  }

  #expectEnd(worker: Worker): void {
    const { threadId } = worker;
    const timer = setTimeout(() => this.#onUnended?.(threadId), endMs).unref();
    worker.once("exit", () => clearTimeout(timer));
  }

  #takesTasks(id: number): boolean {
    return this.#started.has(id) && !this.#retiring.has(id);
  }

  #usageOf(id: number): number {
    return this.#usage.get(id) ?? 0;
  }

  #free(id: number): void {
    const left = this.#usageOf(id) - 1;
    if (left > 0) this.#usage.set(id, left);
    else this.#usage.delete(id);
    this.#endRetired(id);
  }

  #endRetired(id: number): void {
    if (!this.#retiring.has(id) || this.#usageOf(id) > 0) return;
    void this.#threadOf(id)?.terminate();
  }

  #lives(id: number | null): boolean {
    return id !== null && this.#threadOf(id) !== undefined;
  }

  #threadOf(id: number): Worker | undefined {
    return (this.#piscina.threads as readonly Worker[]).find(({ threadId }) => threadId === id);
  }

  /** piscina starts no replacement for a worker that failed while it started, and leaves what waits for one waiting. */
  #rejectStranded(): void {
    if (this.#closed || this.#piscina.threads.length > 0) return;
    const waiting = this.#waiting;
    this.#waiting = new AbortController();
    waiting.abort(new Error(`no worker starts: ${this.#lastError}`));
  }
}

/** piscina counts a single task that can be aborted as many, and every one of ours can. */
function tasksOf({ currentUsage }: { readonly currentUsage: number }): number {
  return Number.isFinite(currentUsage) ? currentUsage : 1;
}

const heapFull = new Error("its heap reached its limit (workerLimits.heapMb)");

/**
 * Some twice what the watch allows: V8's own limit is for what the watch is too slow for. Just below twice, since a heap whose limit is 2 GiB or more grows to four
 * times what it holds before V8 collects, and one below that to twice.
 */
function resourceLimits({ heapMb, stackMb }: WorkerLimits): ResourceLimits {
  return { maxOldGenerationSizeMb: 2 * heapMb - 1, ...(stackMb === undefined ? {} : { stackSizeMb: stackMb }) };
}

/** What piscina shows its load balancer of a task. */
interface QueuedTask {
  readonly [queueOptionsSymbol]?: (thread: number) => void;
}

/** What a symbol names does not cross to the worker. */
function queued<Task extends object>(task: Task, assigned: (thread: number) => void): Task {
  return { ...task, [queueOptionsSymbol]: assigned };
}

/** Marks a worker's answer so that its buffers move to the main thread instead of being copied. */
export function transferring<T extends object>(value: T, buffers: readonly ArrayBufferLike[]): T {
  const marked = { [Piscina.transferableSymbol]: [...buffers], [Piscina.valueSymbol]: value };
  return move(marked as never) as unknown as T;
}
