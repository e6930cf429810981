import { appendFileSync, statSync } from "node:fs";
import { parentPort, threadId, workerData } from "node:worker_threads";
import { wasmLoop } from "./wasm-loop.ts";

/** Workers after the first `bootsMax` fail while they start, in the way that `boot` says. */
export interface Setup {
  /** A file that each worker makes a byte longer. */
  readonly boots: string;
  readonly bootsMax: number;
  readonly boot: "throw" | "exit";
  /** Ten numbers. */
  readonly shared: SharedArrayBuffer;
}

const { boots, bootsMax, boot, shared } = workerData as Setup;
appendFileSync(boots, ".");
if (statSync(boots).size > bootsMax) {
  if (boot === "exit") process.exit(4);
  throw new Error("no more boots");
}

export type Behaviour =
  | ("answer" | "throw" | "exit" | "throw-later" | "answer-and-exit" | "loop" | "wasm-loop" | "fill-heap")
  | ("wait" | "worker" | "sum" | "write" | "post" | "kill-process" | "fill-uninterruptibly" | "fill-and-block");

export interface WorkerTask {
  readonly task: Behaviour;
}

/** Tasks that wait here now. */
let waiting = 0;

export default async function work({ task }: WorkerTask): Promise<string> {
  const numbers = new Int32Array(shared);
  if (task === "worker") return `${process.pid} ${threadId}`;
  if (task === "sum") return String(numbers.reduce((sum, number) => sum + number, 0));
  if (task === "write") {
    numbers[3] = 33;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  if (task === "post") parentPort?.postMessage("posted");
  if (task === "kill-process") process.kill(process.pid, "SIGKILL");
  if (task === "fill-and-block") {
    new Uint8Array(400 * 2 ** 20).fill(1);
    Atomics.wait(numbers, 0, numbers[0] as number);
  }
  if (task === "fill-uninterruptibly") for (const all: unknown[] = []; ; ) all.push(new Array(1000).fill(0));
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
