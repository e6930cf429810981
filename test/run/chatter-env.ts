import { existsSync, writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import { z } from "zod";
import { defineEnv, type EnvironmentEpisode, type Task } from "../../src/core/env.ts";
import { wasmLoop } from "../pool/wasm-loop.ts";

/** What goes wrong in the episodes of task `talk-0` (`exit-often`: of every task), or when the module is loaded in a worker. */
export const faults = [
  "none",
  "exit",
  "exit-later",
  "throw-later",
  "throw",
  "forget",
  "hang",
  "loop",
  "loop-reset",
  "loop-score",
  "wasm-loop",
  "spin",
  "never",
  "fill-heap",
  "fill-uninterruptibly",
  "kill-process",
  "abort",
  "abort-process",
  "segfault",
  "exit-once",
  "exit-often",
  "nan-reward",
  "cyclic-answer",
  "huge-observation",
  "no-observation",
  "reject-later",
  "leak-timers",
  "flood",
  "pollute",
  "load-exit",
  "load-loop",
  "load-throw",
] as const;

/**
 * An agent that talks in three letters and is paid for each `a`. Any text is an action, so a policy model that was never trained gets
 * rewards to learn from, and violations where the budget is small.
 */
export default defineEnv({
  name: "chatter",
  options: z.strictObject({
    fault: z.enum(faults).default("none"),
    tasks: z.int().default(12),
    /** A file that `exit-once` makes before it exits, and no more. */
    mark: z.string().default(""),
  }),
  load({ fault, tasks, mark }) {
    breakLoading(fault);
    return {
      tasks: Array.from({ length: tasks }, (_, index) => talk(index)).slice(
        fault === "forget" && !isMainThread ? 1 : 0,
      ),
      maxTurns: 3,
      start: (task) => chat(task, { fault: task.id === "talk-0" || fault === "exit-often" ? fault : "none", mark }),
    };
  },
});

function talk(index: number): Task {
  const prompt = `${"a ".repeat(index % 3)}${"b ".repeat(Math.floor(index / 3))}c`;
  return { id: `talk-${index}`, prompt, split: index % 4 === 3 ? "test" : "train" };
}

interface Mischief {
  readonly fault: (typeof faults)[number];
  readonly mark: string;
}

function chat({ prompt }: Task, { fault, mark }: Mischief): EnvironmentEpisode {
  let said = "";
  if (fault === "loop-reset") loop();
  return {
    observation: prompt,
    drivers: {
      chat: {
        operations: {
          say({ text }) {
            said += String(text);
            if (fault === "never") return new Promise(() => {});
            if (fault === "spin") return spin();
            return answerOf(fault) ?? said.length;
          },
        },
      },
    },
    parse: (text) => ({ syscall: "chat.say", args: { text } }),
    step() {
      breakEpisode(fault);
      if (fault === "exit-once") exitOnce(mark);
      if (fault === "exit-often") exitOften();
      if (fault === "no-observation") return undefined as never;
      return { observation: fault === "huge-observation" ? "b".repeat(2 ** 21) : "b", done: false };
    },
    score() {
      if (fault === "loop-score") loop();
      if (fault === "nan-reward") return { success: true, reward: Number.NaN };
      const letters = said.replaceAll(/[^abc]/g, "");
      const reward = letters === "" ? 0 : letters.replaceAll(/[^a]/g, "").length / letters.length;
      return { success: reward > 0.5, reward };
    },
  };
}

function breakEpisode(fault: (typeof faults)[number]): void {
  if (fault === "throw") throw new Error("the chat broke");
  if (fault === "hang") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  if (fault === "loop") loop();
  if (fault === "wasm-loop") wasmLoop();
  if (fault === "fill-heap") fillHeap();
  if (fault === "fill-uninterruptibly") for (const all: unknown[] = []; ; ) all.push(new Array(1000).fill(0));
  if (fault === "kill-process") process.kill(process.pid, "SIGKILL");
  if (fault === "abort") process.abort();
  if (fault === "abort-process") process.kill(process.pid, "SIGABRT");
  if (fault === "segfault") process.kill(process.pid, "SIGSEGV");
  if (fault === "reject-later") void Promise.resolve().then(() => fail("rejected later"));
  if (fault === "leak-timers") setInterval(() => {}, 1);
  if (fault === "flood") flood();
  if (fault === "pollute") pollute();
  if (fault === "exit") process.exit(7);
  if (fault === "exit-later") setImmediate(() => process.exit(7));
  if (fault === "throw-later") setImmediate(fail, "the timer broke");
}

function loop(): never {
  for (;;);
}

/** Never lets the thread's timers run, and never ends. */
async function spin(): Promise<never> {
  for (;;) await null;
}

function fillHeap(): never {
  for (const all: object[] = []; ; ) all.push({ index: all.length, more: [1, 2, 3] });
}

function exitOnce(mark: string): void {
  if (existsSync(mark)) return;
  writeFileSync(mark, "");
  process.exit(7);
}

/** In one step of five, at once, or when the thread comes to its timers: as good as a thread that is killed. */
function exitOften(): void {
  const chance = Math.random();
  if (chance < 0.1) process.exit(7);
  if (chance < 0.2) setImmediate(() => process.exit(7));
}

function flood(): void {
  for (let line = 0; line < 2000; line++) {
    console.log(`${line} ${"flood ".repeat(50)}`);
    console.error(`${line} ${"flood ".repeat(50)}`);
  }
}

/** Changes what every module of the thread shares. */
function pollute(): void {
  Array.prototype.map = () => fail("map is broken");
}

function answerOf(fault: (typeof faults)[number]): unknown {
  if (fault !== "cyclic-answer") return undefined;
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  return cyclic;
}

/** The main thread loads the environment too, to plan; only the workers are to break. */
function breakLoading(fault: (typeof faults)[number]): void {
  if (isMainThread) return;
  if (fault === "load-exit") process.exit(9);
  if (fault === "load-loop") loop();
  if (fault === "load-throw") fail("the chat cannot be loaded");
}

function fail(message: string): never {
  throw new Error(message);
}
