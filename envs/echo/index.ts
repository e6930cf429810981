import { z } from "zod";
import { defineEnv, type EnvironmentEpisode, type Task } from "../../src/core/env.ts";
import type { SyscallResult } from "../../src/core/syscall.ts";

const echoOptions = z.strictObject({
  maxTurns: z.int().min(1).max(100_000).default(64).describe("Most syscalls of an episode"),
  tasks: z.int().min(2).max(100_000).default(64).describe("Tasks, every fourth of them in the test split"),
});

/** Does as good as nothing, so that what an episode costs besides can be seen: `echo.say` answers its own argument. */
export default defineEnv<z.output<typeof echoOptions>>({
  name: "echo",
  options: echoOptions,
  load: ({ maxTurns, tasks }) => ({
    tasks: Array.from({ length: tasks }, (_, index) => echo(index)),
    maxTurns,
    start: ({ prompt }) => new EchoEpisode(prompt),
  }),
});

function echo(index: number): Task {
  return { id: `echo-${index}`, prompt: "Say something.", split: index % 4 === 3 ? "test" : "train" };
}

const drivers = { echo: { operations: { say: ({ text }: Readonly<Record<string, unknown>>) => text } } };

class EchoEpisode implements EnvironmentEpisode {
  readonly observation: string;
  readonly drivers = drivers;

  constructor(prompt: string) {
    this.observation = prompt;
  }

  parse(action: string) {
    return action === "" ? null : { syscall: "echo.say", args: { text: action } };
  }

  step({ result }: SyscallResult) {
    return { observation: String(result), done: false };
  }

  score() {
    return { success: true, reward: 1 };
  }
}
