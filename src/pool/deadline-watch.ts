import { type Activity, ActivityBoard, type Stage } from "./activity-board.ts";

/** Milliseconds that each stage may last at most without moving on. */
export type StageDeadlines = Readonly<Record<Exclude<Stage, "queued">, number>>;

/** How often rows are looked at. */
const tickMs = 50;
/** Most that the watch counts between two looks, so that a process that was stopped for an hour ends nothing when it goes on. */
const tickMsMax = 1_000;

/** What a task is doing, and how long it has been. */
export interface WatchedActivity extends Activity {
  readonly forMs: number;
  /** How long it may; infinite while no worker has been given it. */
  readonly deadlineMs: number;
}

interface Watched {
  readonly row: number;
  readonly onLate: (activity: WatchedActivity) => void;
  change: number;
  /** By the watch's own clock, which stands still while the process does. */
  sinceMs: number;
  assigned: boolean;
}

/** A task under the watch's eyes. */
export interface WatchHandle extends Disposable {
  /** Of the task's row, for its worker. */
  readonly row: number | null;
  /** Of the row. */
  readonly memory: Uint8Array<SharedArrayBuffer> | null;
  readonly activity: WatchedActivity | null;
  /** A worker has been given the task: from now on it may be late. */
  assigned(): void;
}

/** Looks from the main thread at what workers do, and tells which of them have not moved on for too long. */
export class DeadlineWatch implements Disposable {
  readonly #board = new ActivityBoard();
  readonly #deadlines: StageDeadlines;
  readonly #onTick: (clock: Int32Array<SharedArrayBuffer>) => void;
  readonly #watched = new Set<Watched>();
  #clockMs = 0;
  #lookedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param onTick Told when the clock that workers see has moved on. */
  constructor(deadlines: StageDeadlines, onTick: (clock: Int32Array<SharedArrayBuffer>) => void = () => {}) {
    this.#deadlines = deadlines;
    this.#onTick = onTick;
  }

  get memory(): SharedArrayBuffer {
    return this.#board.memory;
  }

  /** @param onLate Called once, when the task is late. */
  watch(onLate: Watched["onLate"]): WatchHandle {
    const row = this.#board.take();
    if (row === null) return unwatched;
    const watched: Watched = { row, onLate, change: 0, sinceMs: this.#clockMs, assigned: false };
    this.#watched.add(watched);
    this.#wake();
    const activity = () => this.#activity(watched);
    return {
      row,
      memory: this.#board.rowOf(row),
      get activity() {
        return activity();
      },
      assigned: () => {
        watched.assigned = true;
        watched.sinceMs = this.#clockMs;
      },
      [Symbol.dispose]: () => {
        this.#watched.delete(watched);
        this.#board.release(row);
      },
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#watched.clear();
  }

  #activity(watched: Watched): WatchedActivity {
    const activity = this.#board.read(watched.row);
    const deadlineMs = this.#deadlineOf(activity.stage, watched.assigned);
    return { ...activity, forMs: this.#clockMs - watched.sinceMs, deadlineMs };
  }

  #wake(): void {
    if (this.#timer !== undefined) return;
    this.#lookedAt = performance.now();
    this.#timer = setInterval(() => this.#look(), tickMs).unref();
  }

  #look(): void {
    if (this.#watched.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const now = performance.now();
    this.#clockMs += Math.min(now - this.#lookedAt, tickMsMax);
    this.#lookedAt = now;
    this.#board.clockMs = this.#clockMs;
    this.#onTick(this.#board.clock);
    for (const watched of [...this.#watched]) this.#check(watched);
  }

  #check(watched: Watched): void {
    const change = this.#board.changeOf(watched.row);
    if (change !== watched.change) {
      watched.change = change;
      watched.sinceMs = this.#clockMs;
      return;
    }
    const activity = this.#activity(watched);
    if (activity.forMs <= activity.deadlineMs) return;
    this.#watched.delete(watched);
    watched.onLate(activity);
  }

  /** A task that was given to a worker and not begun waits for code that nobody asked for, such as a timer. */
  #deadlineOf(stage: Stage, assigned: boolean): number {
    if (stage !== "queued") return this.#deadlines[stage];
    return assigned ? this.#deadlines.boot : Number.POSITIVE_INFINITY;
  }
}

const unwatched: WatchHandle = { row: null, memory: null, activity: null, assigned() {}, [Symbol.dispose]() {} };
