import { messageOf } from "../core/errors.ts";
import { type MemoryWrite, MirroredMemory, unpackedSetup } from "./mirrored-memory.ts";
import type { FromChild, TaskFault, ToChild } from "./process-messages.ts";
import type { WorkerFault } from "./worker-fault.ts";
import { WorkerPool } from "./worker-pool.ts";

/** How often the pool is told what the worker writes. */
const tickMs = 50;
/** What a process may hold in memory besides what `workerLimits.heapMb` allows: its own, and what V8 has not given back yet. */
const spareBytes = 256 * 2 ** 20;
/** Heaps that a worker may fill: its own, and four outside of it. */
const heapsMax = 5;

type Start = ToChild & { readonly type: "start" };
type TaskMessage = ToChild & { readonly type: "task" };

/** Makes this process a worker of the pool that started it. It ends with that pool's process, and when the pool ends it. */
export function hostWorker(): void {
  // A terminal sends them to every process of a run; the run's own decides what is to be ended.
  for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"] as const) process.on(signal, () => {});
  process.on("disconnect", end);
  process.once("message", (start) => new ProcessHost(start as Start));
}

/** One worker thread in a process of its own. Whatever goes wrong in it, the process does no more tasks. */
class ProcessHost {
  readonly #pool: WorkerPool<object, unknown>;
  readonly #memory: MirroredMemory;
  /** What the pool knows of memory that the worker may write to, by its place. */
  readonly #known = new Map<string, MemoryWrite>();
  readonly #bytesMax: number;
  readonly #underWay = new Set<number>();
  #faults: TaskFault[] | null = null;

  constructor({ file, setup: packed, tasksPerWorker, limits }: Start) {
    const setup = unpackedSetup(packed);
    this.#memory = MirroredMemory.of(setup);
    this.#bytesMax = limits === null ? Number.POSITIVE_INFINITY : heapsMax * limits.heapMb * 2 ** 20 + spareBytes;
    this.#pool = new WorkerPool({
      ...{ file: new URL(file), workers: 1, setup, tasksPerWorker },
      ...(limits === null ? {} : { limits }),
      onMessage: (message) => tell({ type: "posted", message }),
      onStarted: () => tell({ type: "started" }),
      onEnded: (reason) => this.#fail([], reason),
    });
    process.on("message", (message) => this.#take(message as ToChild));
    setInterval(() => this.#look(), tickMs);
  }

  #take(message: ToChild): void {
    if (message.type === "task") void this.#run(message);
    if (message.type === "write") this.#write(message);
  }

  #write({ write, isWatched }: { readonly write: MemoryWrite; readonly isWatched: boolean }): void {
    this.#memory.apply(write);
    if (isWatched) this.#known.set(placeOf(write), write);
  }

  async #run({ id, task, watched }: TaskMessage): Promise<void> {
    if (watched !== null) this.#write({ write: watched, isWatched: true });
    this.#underWay.add(id);
    try {
      const result = await this.#pool.run(task);
      if (this.#faults === null) tell({ type: "answer", id, result });
    } catch (error) {
      this.#fail([{ id, kind: (error as WorkerFault).kind, reason: messageOf((error as WorkerFault).cause) }]);
    } finally {
      this.#underWay.delete(id);
      if (watched !== null) this.#known.delete(placeOf(watched));
    }
  }

  #look(): void {
    for (const [place, known] of this.#known) {
      const write = this.#memory.changeSince(known);
      if (write === null) continue;
      this.#known.set(place, write);
      tell({ type: "write", write });
    }
    if (process.memoryUsage.rss() <= this.#bytesMax) return;
    const reason = "its process holds more memory than workerLimits.heapMb allows";
    this.#fail([...this.#underWay].map((id) => ({ id, kind: "out-of-memory", reason })));
  }

  /** Waits for what else fails for the same reason. */
  #fail(faults: readonly TaskFault[], reason = "its worker ended"): void {
    const isFirst = this.#faults === null;
    this.#faults = [...(this.#faults ?? []), ...faults];
    if (!isFirst) return;
    this.#look();
    setImmediate(() => tell({ type: "failed", reason, faults: this.#faults ?? [] }));
  }
}

function tell(message: FromChild): void {
  process.send?.(message);
}

/** Whatever the worker is doing: a thread that cannot be interrupted would be waited for by `process.exit`. */
function end(): void {
  process.kill(process.pid, "SIGKILL");
}

function placeOf({ memory, offset }: MemoryWrite): string {
  return `${memory} ${offset}`;
}
