import { isMainThread } from "node:worker_threads";
import { z } from "zod";
import { defineEnv, type EnvironmentEpisode, type Task } from "../../src/core/env.ts";

/** What goes wrong in the episodes of task `talk-0`, or when the module is loaded in a worker. */
export const faults = [
  "none",
  "exit",
  "exit-later",
  "throw-later",
  "throw",
  "forget",
  "hang",
  "load-exit",
  "load-throw",
] as const;

/**
 * An agent that talks in three letters and is paid for each `a`. Any text is an action, so a policy model that was never trained gets
 * rewards to learn from, and violations where the budget is small.
 */
export default defineEnv({
  name: "chatter",
  options: z.strictObject({ fault: z.enum(faults).default("none"), tasks: z.int().default(12) }),
  load({ fault, tasks }) {
    breakLoading(fault);
    return {
      tasks: Array.from({ length: tasks }, (_, index) => talk(index)).slice(
        fault === "forget" && !isMainThread ? 1 : 0,
      ),
      maxTurns: 3,
      start: (task) => chat(task, task.id === "talk-0" ? fault : "none"),
    };
  },
});

function talk(index: number): Task {
  const prompt = `${"a ".repeat(index % 3)}${"b ".repeat(Math.floor(index / 3))}c`;
  return { id: `talk-${index}`, prompt, split: index % 4 === 3 ? "test" : "train" };
}

function chat({ prompt }: Task, fault: (typeof faults)[number]): EnvironmentEpisode {
  let said = "";
  return {
    observation: prompt,
    drivers: {
      chat: {
        operations: {
          say({ text }) {
            said += String(text);
            return said.length;
          },
        },
      },
    },
    parse: (text) => ({ syscall: "chat.say", args: { text } }),
    step() {
      breakEpisode(fault);
      return { observation: "b", done: false };
    },
    score() {
      const letters = said.replaceAll(/[^abc]/g, "");
      const reward = letters === "" ? 0 : letters.replaceAll(/[^a]/g, "").length / letters.length;
      return { success: reward > 0.5, reward };
    },
  };
}

function breakEpisode(fault: (typeof faults)[number]): void {
  if (fault === "throw") throw new Error("the chat broke");
  if (fault === "hang") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  if (fault === "exit") process.exit(7);
  if (fault === "exit-later") setImmediate(() => process.exit(7));
  if (fault === "throw-later") setImmediate(fail, "the timer broke");
}

/** The main thread loads the environment too, to plan; only the workers are to break. */
function breakLoading(fault: (typeof faults)[number]): void {
  if (isMainThread) return;
  if (fault === "load-exit") process.exit(9);
  if (fault === "load-throw") fail("the chat cannot be loaded");
}

function fail(message: string): never {
  throw new Error(message);
}
