import type { AgentSignal } from "../core/audit.ts";
import { episodeName } from "./attempt-name.ts";
import type { PostedSignal, SignalBoard } from "./signal-board.ts";

/** Whoever has the episodes open: a kernel. */
export interface SignalTarget {
  /** @returns Whether the episode is open. */
  signal(episode: string, signal: AgentSignal): boolean;
}

/** A worker's end of the board: hands signals to its kernel, those for episodes that have not begun when they begin. */
export class SignalReceiver implements Disposable {
  readonly #board: SignalBoard;
  readonly #target: SignalTarget;
  /** All that was read, by the episode's name: a second attempt is sent what the first was sent. */
  readonly #posted = new Map<string, PostedSignal[]>();
  /** Ids of the attempts that are open here, by the episode's name. */
  readonly #open = new Map<string, string>();
  #closed = false;

  constructor(board: SignalBoard, target: SignalTarget) {
    this.#board = board;
    this.#target = target;
  }

  /** Reads the board; cheap enough to call between any two syscalls. */
  poll(): void {
    for (const posted of this.#board.unread()) {
      const earlier = this.#posted.get(posted.episode);
      if (earlier === undefined) this.#posted.set(posted.episode, [posted]);
      else earlier.push(posted);
      this.#deliver(posted, this.#open.get(posted.episode));
    }
  }

  begin(id: string): void {
    this.poll();
    const name = episodeName(id);
    this.#open.set(name, id);
    for (const posted of this.#posted.get(name) ?? []) this.#deliver(posted, id);
  }

  end(id: string): void {
    this.#open.delete(episodeName(id));
  }

  /** Goes on reading while the thread waits for something else, until it is disposed of. */
  async listen(): Promise<void> {
    while (!this.#closed) {
      await this.#board.changed();
      this.poll();
    }
  }

  /** Whoever waits on memory is kept by the thread, with all that it holds, until it is woken. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#board.wake();
  }

  #deliver({ slot, signal }: PostedSignal, id: string | undefined): void {
    if (id !== undefined && this.#target.signal(id, signal)) this.#board.take(slot);
  }
}
