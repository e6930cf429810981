import { threadId, workerData } from "node:worker_threads";
import { wasmLoop } from "./wasm-loop.ts";

/** Workers after the first `bootsMax` fail while they start, in the way that `boot` says. */
export interface Setup {
  readonly boots: SharedArrayBuffer;
  readonly bootsMax: number;
  readonly boot: "throw" | "exit";
}

const { boots, bootsMax, boot } = workerData as Setup;
if (Atomics.add(new Int32Array(boots), 0, 1) >= bootsMax) {
  if (boot === "exit") process.exit(4);
  throw new Error("no more boots");
}

export type Behaviour =
  | ("answer" | "throw" | "exit" | "throw-later" | "answer-and-exit" | "loop" | "wasm-loop" | "fill-heap")
  | ("wait" | "thread");

export interface WorkerTask {
  readonly task: Behaviour;
}

/** Tasks that wait here now. */
let waiting = 0;

export default async function work({ task }: WorkerTask): Promise<string> {
  if (task === "thread") return String(threadId);
  if (task === "wait") {
    waiting++;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return String(waiting--);
  }
  if (task === "loop") for (;;);
  if (task === "wasm-loop") wasmLoop();
  if (task === "fill-heap") for (const all: object[] = []; ; ) all.push({ index: all.length, more: [1, 2, 3] });
  if (task === "throw") throw new TypeError("thrown in the worker");
  if (task === "exit") process.exit(3);
  if (task === "throw-later") {
    setImmediate(() => {
      throw new Error("thrown by a timer");
    });
    await new Promise(() => {});
  }
  if (task === "answer-and-exit") setTimeout(() => process.exit(5), 1);
  return "answer";
}
