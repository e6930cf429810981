import { FaradayError, messageOf } from "../core/errors.ts";
import type { Activity } from "./activity-board.ts";

/**
 * Why a task came to nothing. `threw`: it, or what it awaited; its worker lives. `died`: its worker ended. `boot`: it could not begin its work.
 * `out-of-memory`: its worker reached its limit. `timed-out`: it passed a deadline. `corrupt`: its answer cannot be read. `ended`: its worker was
 * ended for another's sake.
 */
export const faultKinds = ["threw", "died", "boot", "out-of-memory", "timed-out", "corrupt", "ended"] as const;
export type FaultKind = (typeof faultKinds)[number];

/** A task that failed in a worker. */
export class WorkerFault extends FaradayError {
  readonly kind: FaultKind;
  /** What it was doing at last, where that is known. */
  readonly activity: Activity | null;

  constructor(kind: FaultKind, error: unknown, activity: Activity | null = null) {
    super(`a worker failed: ${messageOf(error)}`, { cause: error });
    this.name = "WorkerFault";
    this.kind = kind;
    this.activity = activity;
  }
}

/** How a process ended that said nothing of it: what its worker did at last was perhaps not told any more. */
export class SilentDeath extends Error {}

/** Anything that a task was rejected with. */
export function faultOf(error: unknown): WorkerFault {
  return error instanceof WorkerFault ? error : new WorkerFault("died", error);
}

/** @param lives Whether the worker goes on. */
export function kindOf(error: unknown, lives: boolean): FaultKind {
  const { code } = error as { readonly code?: unknown };
  if (code === "ERR_WORKER_OUT_OF_MEMORY") return "out-of-memory";
  if (messageOf(error) === terminated) return "ended";
  return lives ? "threw" : "died";
}

/** What piscina says to the other tasks of a worker that it ends. */
const terminated = "Terminating worker thread";
