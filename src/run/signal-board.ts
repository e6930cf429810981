import { type AgentSignal, agentSignals } from "../core/audit.ts";
import { FaradayError } from "../core/errors.ts";

/** A signal on its way to an episode. */
export interface PostedSignal {
  /** Position on the board, from 0. */
  readonly slot: number;
  readonly episode: string;
  readonly signal: AgentSignal;
}

const slotsMax = 1024;
const idBytesMax = 116;
/** Of a slot, in Int32: index of the signal, whether it was taken, bytes of the id; the id follows. */
const slotHeader = { signal: 0, taken: 1, idBytes: 2 } as const;
const headerInts = 3;
const slotBytes = headerInts * 4 + idBytesMax;
/** The one Int32 before the slots: how many are filled. */
const boardBytes = 4;

/** Memory for one run's board: plain zeros. */
export function signalBoardMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(boardBytes + slotsMax * slotBytes);
}

/**
 * Signals of one run, in memory that the main process and every worker see, so that a worker reads them between two
 * syscalls although its thread takes no messages then. The main process alone posts; slots are filled in order and once.
 */
export class SignalBoard {
  readonly #memory: SharedArrayBuffer;
  readonly #count: Int32Array<SharedArrayBuffer>;
  /** Slots that this instance has read. */
  #read = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#memory = memory;
    this.#count = new Int32Array(memory, 0, 1);
  }

  /**
   * Puts a signal up and wakes whoever waits.
   * @returns Its slot.
   * @throws {FaradayError} when the board is full or the id is too long.
   */
  post(episode: string, signal: AgentSignal): number {
    const slot = Atomics.load(this.#count, 0);
    const id = new TextEncoder().encode(episode);
    if (slot >= slotsMax)
      throw new FaradayError(`a run takes ${slotsMax} signals; ${signal} to ${episode} is one more`);
    if (id.length > idBytesMax) {
      throw new FaradayError(`an episode's id has at most ${idBytesMax} bytes, got ${id.length} in ${episode}`);
    }
    const header = this.#header(slot);
    header[slotHeader.signal] = agentSignals.indexOf(signal);
    header[slotHeader.idBytes] = id.length;
    this.#id(slot).set(id);
    Atomics.store(this.#count, 0, slot + 1);
    this.wake();
    return slot;
  }

  /** What was posted since this instance last asked; nothing is allocated where there is none. */
  unread(): readonly PostedSignal[] {
    const count = Atomics.load(this.#count, 0);
    if (count === this.#read) return none;
    const posted = Array.from({ length: count - this.#read }, (_, index) => this.#at(this.#read + index));
    this.#read = count;
    return posted;
  }

  /** Resolves once there is something {@link unread}, without blocking the thread. */
  async changed(): Promise<void> {
    const wait = Atomics.waitAsync(this.#count, 0, this.#read);
    if (wait.async) await wait.value;
  }

  /** Wakes whoever waits for what has {@link changed}, though nothing has. */
  wake(): void {
    Atomics.notify(this.#count, 0);
  }

  /** What a post to this slot has written: the slot, and the count. */
  written(slot: number): {
    readonly slot: Uint8Array<SharedArrayBuffer>;
    readonly count: Int32Array<SharedArrayBuffer>;
  } {
    return { slot: new Uint8Array(this.#memory, boardBytes + slot * slotBytes, slotBytes), count: this.#count };
  }

  /** Says that the signal reached its episode. */
  take(slot: number): void {
    Atomics.store(this.#header(slot), slotHeader.taken, 1);
  }

  taken(slot: number): boolean {
    return Atomics.load(this.#header(slot), slotHeader.taken) === 1;
  }

  #at(slot: number): PostedSignal {
    const header = this.#header(slot);
    const id = this.#id(slot).slice(0, header[slotHeader.idBytes]);
    const signal = agentSignals[header[slotHeader.signal] as number] as AgentSignal;
    return { slot, episode: new TextDecoder().decode(id), signal };
  }

  #header(slot: number): Int32Array {
    return new Int32Array(this.#memory, boardBytes + slot * slotBytes, headerInts);
  }

  #id(slot: number): Uint8Array {
    return new Uint8Array(this.#memory, boardBytes + slot * slotBytes + headerInts * 4, idBytesMax);
  }
}

const none: readonly PostedSignal[] = [];
