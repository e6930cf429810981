import type { MemoryWrite } from "./mirrored-memory.ts";
import type { FaultKind } from "./worker-fault.ts";
import type { WorkerLimits } from "./workers.ts";

/** What a pool tells a child process. */
export type ToChild =
  /** The first: what it is made of. */
  | {
      readonly type: "start";
      readonly file: string;
      readonly setup: unknown;
      readonly tasksPerWorker: number;
      readonly limits: WorkerLimits | null;
    }
  /** Memory was written; watched, it is told back when the child's worker writes something else there. */
  | { readonly type: "write"; readonly write: MemoryWrite; readonly isWatched: boolean }
  /** @see TaskOptions.watched */
  | { readonly type: "task"; readonly id: number; readonly task: object; readonly watched: MemoryWrite | null };

/** What a child process tells its pool. */
export type FromChild =
  /** Its worker has loaded its code. */
  | { readonly type: "started" }
  | { readonly type: "write"; readonly write: MemoryWrite }
  | { readonly type: "answer"; readonly id: number; readonly result: unknown }
  /** What its worker posts. */
  | { readonly type: "posted"; readonly message: unknown }
  /** It does no more: it is to be ended. Tasks that are not named were not at fault. */
  | { readonly type: "failed"; readonly reason: string; readonly faults: readonly TaskFault[] };

export interface TaskFault {
  readonly id: number;
  readonly kind: FaultKind;
  readonly reason: string;
}
