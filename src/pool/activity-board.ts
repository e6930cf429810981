/**
 * What a task can be doing. `queued`: no worker has begun it. `boot`: its worker makes environment, kernel and agent. `reset`, `step`, `score`: code
 * of the environment or a driver runs for one episode; `act`: code of its agent. `model`: the policy model samples. `wait`: promises of episodes are awaited.
 * `learn`: a gradient is computed.
 */
export const stages = ["queued", "boot", "reset", "act", "step", "score", "model", "wait", "learn"] as const;
export type Stage = (typeof stages)[number];

/** What one task under way was seen doing. */
export interface Activity {
  readonly stage: Stage;
  /** Index in the task of the episode whose code runs; `null` where it is no single one's. */
  readonly episode: number | null;
  /** Number of the worker; 0 before it has booted. */
  readonly worker: number;
  /** Syscalls that the task has made, and the name of the newest; empty before the first. */
  readonly syscalls: number;
  readonly syscall: string;
}

const rowsMax = 2048;
const nameBytesMax = 40;
/** Of a row, in Int32; the name of the newest syscall follows. */
const field = { change: 0, stage: 1, episode: 2, worker: 3, syscalls: 4, nameBytes: 5 } as const;
const headerInts = 6;
const rowBytes = headerInts * 4 + nameBytesMax;
/** The one Int32 before the rows: milliseconds that the watch has counted. */
const boardBytes = 4;
const nobody = -1;
const stageIndex = Object.fromEntries(stages.map((stage, index) => [stage, index])) as Record<Stage, number>;

/** Memory of one pool's board: plain zeros. */
export function activityMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(boardBytes + rowsMax * rowBytes);
}

/** A worker's end of one row: it writes what it does, so that a loop without an end is seen from outside. */
export class ActivityWriter {
  readonly #ints: Int32Array;
  readonly #name: Uint8Array;
  readonly #clock: Int32Array;
  #syscall = "";
  #changes = 0;

  /** Without memory, nobody sees what is written, and no time passes. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(boardBytes + rowBytes), row = 0) {
    this.#clock = new Int32Array(memory, 0, 1);
    this.#ints = intsOf(memory, row);
    this.#name = nameOf(memory, row);
  }

  /** The watch's own clock, in milliseconds: cheap to ask at every step, and behind by a look of the watch. */
  get clockMs(): number {
    return this.#clock[0] as number;
  }

  /** @param episode Index in the task of the episode whose code is about to run. */
  enter(stage: Stage, episode: number = nobody): void {
    this.#ints[field.stage] = stageIndex[stage];
    this.#ints[field.episode] = episode;
    this.touch();
  }

  /** Says that something has moved on. */
  touch(): void {
    this.#ints[field.change] = ++this.#changes;
  }

  set worker(worker: number) {
    this.#ints[field.worker] = worker;
  }

  /** A syscall is about to be made. */
  syscall(name: string): void {
    this.#ints[field.syscalls] = (this.#ints[field.syscalls] as number) + 1;
    if (name === this.#syscall) return;
    this.#syscall = name;
    this.#ints[field.nameBytes] = new TextEncoder().encodeInto(name, this.#name).written;
  }
}

/** The main thread's end: it gives rows to tasks, and reads them. */
export class ActivityBoard {
  readonly memory = activityMemory();
  /** Rows that are free, the one that was freed longest ago first: a worker that is being ended may still write to its own. */
  readonly #free = Array.from({ length: rowsMax }, (_, row) => row);

  /** A row of zeros for a task; `null` where every row is in use. */
  take(): number | null {
    const row = this.#free.shift() ?? null;
    if (row !== null) this.#ints(row).fill(0);
    return row;
  }

  release(row: number): void {
    this.#free.push(row);
  }

  /** Another number whenever the worker has moved on. */
  changeOf(row: number): number {
    return Atomics.load(this.#ints(row), field.change);
  }

  read(row: number): Activity {
    const ints = this.#ints(row);
    const bytes = Math.min(ints[field.nameBytes] as number, nameBytesMax);
    const name = nameOf(this.memory, row).slice(0, bytes);
    const stage = stages[ints[field.stage] as number] ?? "queued";
    const episode = ints[field.episode] as number;
    const isOnes = stage === "reset" || stage === "act" || stage === "step" || stage === "score";
    return {
      stage,
      episode: isOnes && episode >= 0 ? episode : null,
      worker: ints[field.worker] as number,
      syscalls: ints[field.syscalls] as number,
      syscall: new TextDecoder().decode(name),
    };
  }

  set clockMs(clockMs: number) {
    this.clock[0] = clockMs;
  }

  get clock(): Int32Array<SharedArrayBuffer> {
    return new Int32Array(this.memory, 0, 1);
  }

  /** Memory of one row. */
  rowOf(row: number): Uint8Array<SharedArrayBuffer> {
    return new Uint8Array(this.memory, boardBytes + row * rowBytes, rowBytes);
  }

  #ints(row: number): Int32Array {
    return intsOf(this.memory, row);
  }
}

function intsOf(memory: SharedArrayBuffer, row: number): Int32Array {
  return new Int32Array(memory, boardBytes + row * rowBytes, headerInts);
}

function nameOf(memory: SharedArrayBuffer, row: number): Uint8Array {
  return new Uint8Array(memory, boardBytes + row * rowBytes + headerInts * 4, nameBytesMax);
}
