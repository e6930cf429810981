import type { ResourceLimits, Worker } from "node:worker_threads";
import { move, Piscina, queueOptionsSymbol } from "piscina";
import { messageOf } from "../core/errors.ts";
import { HeapWatch } from "./heap-watch.ts";
import { kindOf, WorkerFault } from "./worker-fault.ts";

export interface PoolOptions {
  /** Worker entry; its default export takes a task. */
  readonly file: URL;
  /** Threads, all started at once. */
  readonly workers: number;
  /** Given to every worker as its `workerData`. SharedArrayBuffers in it are shared. */
  readonly setup: unknown;
  /** Tasks that a worker has at a time. Default 1. */
  readonly tasksPerWorker?: number;
  /** Of each thread, in MiB; V8's own where absent. */
  readonly limits?: WorkerLimits;
  /** Told what workers post to the main thread besides their answers. */
  readonly onMessage?: (message: unknown) => void;
  /** Told of a thread that was ended and does not end. */
  readonly onUnended?: (thread: number) => void;
}

export interface WorkerLimits {
  readonly heapMb: number;
  readonly stackMb?: number;
}

/** How long a thread that was ended may take. */
const endMs = 5_000;

export interface TaskOptions {
  /** Once aborted, the task is rejected with the signal's reason, and the worker that holds it is ended and replaced, whatever it is doing. */
  readonly signal?: AbortSignal;
  /** Called when a worker is given the task, with its thread. */
  readonly onAssigned?: (thread: number) => void;
}

/** Workers that do tasks, as far as those who give them tasks can tell. */
export interface Workers<Task extends object, Result> extends AsyncDisposable {
  /** Those that are threads and live. */
  readonly threads: readonly Worker[];
  /** @throws {WorkerFault} where the task threw or its worker died. */
  run(task: Task, options?: TaskOptions): Promise<Result>;
  /** Has a worker replaced once it has no task. */
  retire(thread: number): void;
}

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
  /** Threads that were ended because their heap was full. */
  readonly #full = new Set<number>();
  /** Threads that are given no more tasks, and are replaced when they have none. */
  readonly #retiring = new Set<number>();
  /** Aborted to reject the tasks that wait; those that come later wait on a new one. */
  #waiting = new AbortController();
  #lastError = "it ended while it started";
  #closed = false;

  constructor({ file, workers, setup, tasksPerWorker = 1, limits, onMessage, onUnended }: PoolOptions) {
    this.#piscina = new Piscina({
      filename: file.href,
      minThreads: workers,
      maxThreads: workers,
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
    this.#heaps = limits && this.#watchHeaps(limits);
    if (onMessage !== undefined) this.#piscina.on("message", onMessage);
    this.#piscina.on("workerCreate", ({ id }: { readonly id: number }) => this.#started.add(id));
    // Told before the worker is taken out and perhaps replaced.
    this.#piscina.on("workerDestroy", () => queueMicrotask(() => this.#rejectStranded()));
    // A worker that dies without a task has none to reject.
    this.#piscina.on("error", (error) => {
      this.#lastError = messageOf(error);
    });
  }

  /** Those that live, for whoever measures them. */
  get threads(): readonly Worker[] {
    return this.#piscina.threads;
  }

  /** @throws {WorkerFault} with the worker's own message when the task threw or its worker died. */
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
    try {
      if (this.#closed) throw new Error("the pool is closed");
      return await this.#piscina.run(queued(task, assigned), { signal: AbortSignal.any(signals) });
    } catch (error) {
      if (this.#waiting.signal !== signals[0] && signals[0]?.aborted) throw new WorkerFault("boot", signals[0].reason);
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

  /** Has a thread replaced once it has no task. */
  retire(thread: number): void {
    this.#retiring.add(thread);
    this.#endRetired(thread);
  }

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

/** Twice what the watch allows: V8's own limit is for what the watch is too slow for. */
function resourceLimits({ heapMb, stackMb }: WorkerLimits): ResourceLimits {
  return { maxOldGenerationSizeMb: 2 * heapMb, ...(stackMb === undefined ? {} : { stackSizeMb: stackMb }) };
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
