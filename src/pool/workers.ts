import type { Worker } from "node:worker_threads";

/** Workers that do tasks, whatever a worker is: a thread, or a process. */
export interface Workers<Task extends object, Result> extends AsyncDisposable {
  /** @throws {WorkerFault} with the worker's own message when the task threw or its worker died. */
  run(task: Task, options?: TaskOptions): Promise<Result>;
  /** Worker threads of this process that live, for whoever measures them. */
  readonly threads: readonly Worker[];
  /** Has a worker replaced once it has no task. */
  retire(worker: number): void;
  /**
   * What was written into memory of the setup since the workers started is to be seen by all of them, before any task that is run later.
   * @param isWatched Whether what they write there themselves is to be seen here. Default `false`.
   */
  share(written: ArrayBufferView<SharedArrayBuffer>, options?: { readonly isWatched?: boolean }): void;
}

export interface PoolOptions {
  /** Worker entry; its default export takes a task. */
  readonly file: URL;
  /** How many, all started at once. */
  readonly workers: number;
  /** Given to every worker as its `workerData`. */
  readonly setup: unknown;
  /** Tasks that a worker has at a time. Default 1. */
  readonly tasksPerWorker?: number;
  /** Of each worker, in MiB; V8's own where absent. */
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

export interface TaskOptions {
  /** Once aborted, the task is rejected with the signal's reason, and the worker that holds it is ended and replaced, whatever it is doing. */
  readonly signal?: AbortSignal;
  /** Called when a worker is given the task, with its number; again where that one could not begin, and another is given it. */
  readonly onAssigned?: (worker: number) => void;
  /** Memory of the setup that the worker writes to during the task. */
  readonly watched?: ArrayBufferView<SharedArrayBuffer> | null;
}
