import type { Agent } from "../core/agent.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import type { Environment, EnvironmentEpisode, Task } from "../core/env.ts";
import { InputError } from "../core/errors.ts";
import type { Syscall } from "../core/syscall.ts";

/** The syscall that an action stands for: itself, or `sql.query` for a text. */
export function syscallOf(action: unknown): Syscall {
  if (typeof action === "string") return { syscall: "sql.query", args: { sql: action } };
  if (typeof action === "object" && action !== null && "syscall" in action) return action as Syscall;
  throw new InputError(`an action must be a syscall { syscall, args } or an SQL text, got ${canonicalJson(action)}`);
}

/** Makes the syscalls that it was given, in order. */
export class ScriptedAgent implements Agent {
  readonly #syscalls: readonly Syscall[];

  constructor(syscalls: readonly Syscall[]) {
    this.#syscalls = syscalls;
  }

  act(_observation: string, { step }: { readonly step: number }): Syscall | null {
    return this.#syscalls[step] ?? null;
  }
}

/** What a step without an environment runs in: it succeeds when every syscall completed, and there was one. */
export function directEnvironment(options: { readonly maxTurns: number }): Environment {
  return { tasks: [], maxTurns: options.maxTurns, start: (task) => directEpisode(task) };
}

function directEpisode({ prompt }: Task): EnvironmentEpisode {
  let made = 0;
  let completed = 0;
  return {
    observation: prompt,
    parse: syscallOf,
    step(result) {
      made++;
      if (result.outcome === "completed") completed++;
      return { observation: result.error ?? canonicalJson(result.result ?? null), done: false };
    },
    score() {
      const success = made > 0 && made === completed;
      return { success, reward: success ? 1 : 0 };
    },
  };
}
