import { AsyncLocalStorage } from "node:async_hooks";
import { parentPort } from "node:worker_threads";
import { messageOf } from "../core/errors.ts";

/** Whose code runs, and what is to become of it where it breaks out of every call. */
export interface CodeOwner {
  readonly id: string;
  /** Told of the first error alone. */
  broke(message: string): void;
}

/** An error that nobody caught, as a worker tells it to the main thread. */
export interface StrayError {
  readonly stray: string;
  readonly reason: string;
}

/** Most that a worker tells of. */
const toldMax = 100;

const owners = new AsyncLocalStorage<CodeOwner>();

/** Runs code, and all that it leaves behind (timers, promises), in the name of an owner. */
export function asCodeOf<T>(owner: CodeOwner, run: () => T): T {
  return owners.run(owner, run);
}

/** Keeps a thread alive when a timer or a promise breaks that an owner's code has left behind, and puts it down to the owner, once. */
export class StrayErrors {
  readonly #seen = new WeakSet<CodeOwner>();
  /** How many owners' code broke so. */
  count = 0;

  constructor() {
    process.on("uncaughtException", (error) => this.#take(error));
  }

  #take(error: unknown): void {
    const owner = owners.getStore();
    // Nobody's code: the thread cannot be trusted any more, and ends.
    if (owner === undefined) throw error;
    if (this.#seen.has(owner)) return;
    this.#seen.add(owner);
    const reason = `an error that nobody caught: ${messageOf(error)}`;
    owner.broke(reason);
    if (++this.count > toldMax) return;
    parentPort?.postMessage({ stray: owner.id, reason } satisfies StrayError);
  }
}

export function isStrayError(message: unknown): message is StrayError {
  if (typeof message !== "object" || message === null) return false;
  const { stray, reason } = message as Partial<StrayError>;
  return typeof stray === "string" && typeof reason === "string";
}
