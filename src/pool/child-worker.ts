import { type ChildProcess, fork } from "node:child_process";
import { messageOf } from "../core/errors.ts";
import type { MemoryWrite } from "./mirrored-memory.ts";
import type { FromChild, ToChild } from "./process-messages.ts";
import { SilentDeath, WorkerFault } from "./worker-fault.ts";
import { workerFile } from "./worker-file.ts";
import type { TaskOptions } from "./workers.ts";

/** A task of a pool of processes, until it is settled. */
export interface HeldTask {
  readonly task: object;
  readonly watched: MemoryWrite | null;
  readonly onAssigned: TaskOptions["onAssigned"];
  readonly resolve: (result: unknown) => void;
  readonly reject: (fault: WorkerFault) => void;
}

export interface ChildEvents {
  readonly onWrite: (write: MemoryWrite) => void;
  readonly onMessage: (message: unknown) => void;
  /** A task was answered. */
  readonly onFree: (child: ChildWorker) => void;
  /** It is ended, and its tasks are rejected, but for those that it has not begun. */
  readonly onEnd: (child: ChildWorker, end: { readonly reason: string; readonly unbegun: readonly HeldTask[] }) => void;
}

/** A pool's end of one child process. */
export class ChildWorker {
  /** Counts from 1 in the pool. */
  readonly id: number;
  /** Resolves when the process is gone. */
  readonly exited: Promise<void>;
  /** Whether its worker has loaded its code. */
  hasStarted = false;
  /** Whether it is to be given no more tasks. */
  isRetiring = false;
  readonly #process: ChildProcess;
  readonly #events: ChildEvents;
  readonly #tasks = new Map<number, HeldTask>();
  #taskCount = 0;
  #ended = false;

  constructor(id: number, start: ToChild & { readonly type: "start" }, events: ChildEvents) {
    this.id = id;
    this.#events = events;
    this.#process = fork(workerFile("process"), {
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#process.on("message", (message) => this.#take(message as FromChild));
    this.exited = new Promise((resolve) => {
      this.#process.on("error", (error) => {
        this.#die(messageOf(error));
        // One that could not be started does not exit.
        if (this.#process.pid === undefined) resolve();
      });
      this.#process.on("exit", (code, signal) => {
        this.#die(
          signal === null ? `worker process exited with code: ${code}` : `worker process was ended by ${signal}`,
        );
        resolve();
      });
    });
    this.tell(start);
  }

  get taskCount(): number {
    return this.#tasks.size;
  }

  holds(task: HeldTask): boolean {
    return [...this.#tasks.values()].includes(task);
  }

  give(held: HeldTask): void {
    const id = ++this.#taskCount;
    this.#tasks.set(id, held);
    held.onAssigned?.(this.id);
    this.tell({ type: "task", id, task: held.task, watched: held.watched });
  }

  /** What cannot be sent is lost with the process, which is told by its exit. */
  tell(message: ToChild): void {
    this.#process.send?.(message, () => {});
  }

  /**
   * Ends the process, whatever it is doing.
   * @param verdict What each of its tasks is rejected with; `null` where it has not begun.
   */
  end(reason: string, verdict: (held: HeldTask, id: number) => WorkerFault | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#process.kill("SIGKILL");
    const unbegun: HeldTask[] = [];
    for (const [id, held] of this.#tasks) {
      const fault = verdict(held, id);
      if (fault === null) unbegun.push(held);
      else held.reject(fault);
    }
    this.#tasks.clear();
    this.#events.onEnd(this, { reason, unbegun });
  }

  #take(message: FromChild): void {
    if (this.#ended) return;
    switch (message.type) {
      case "started":
        this.hasStarted = true;
        return;
      case "write":
        this.#events.onWrite(message.write);
        return;
      case "posted":
        this.#events.onMessage(message.message);
        return;
      case "answer":
        this.#tasks.get(message.id)?.resolve(message.result);
        this.#tasks.delete(message.id);
        this.#events.onFree(this);
        return;
      case "failed":
        this.#fail(message);
        return;
      default:
        message satisfies never;
    }
  }

  #fail({ reason, faults }: FromChild & { readonly type: "failed" }): void {
    this.end(reason, (_, id) => {
      if (!this.hasStarted) return null;
      const fault = faults.find((each) => each.id === id) ?? { kind: "ended" as const, reason };
      return new WorkerFault(fault.kind, new Error(fault.reason));
    });
  }

  #die(reason: string): void {
    this.end(reason, () => new WorkerFault(this.hasStarted ? "died" : "boot", new SilentDeath(reason)));
  }
}
