import type { z } from "zod";
import type { Syscall, SyscallResult } from "./syscall.ts";

export const splits = ["train", "val", "test"] as const;
export type Split = (typeof splits)[number];

/** One thing to do, said in words. An environment adds fields of its own. */
export interface Task {
  /** Unique in its environment. */
  readonly id: string;
  readonly prompt: string;
  readonly split: Split;
  /** What a demonstrator did, one action a turn; the base policy is cloned from it. */
  readonly demo?: readonly string[];
}

/** Performs the operations of one syscall prefix on a real resource: `robot.move` is `operation` `move` of `robot`. */
export interface Driver {
  /** Operations by name. What they throw is the syscall's failure, not the episode's. */
  readonly operations: Readonly<Record<string, (args: Readonly<Record<string, unknown>>) => unknown>>;
}

/** Resources by name that an environment may look at without the kernel, such as `sql` (see {@link SqlWorld}). */
export type World = Readonly<Record<string, unknown>>;

export interface EpisodeContext {
  readonly seed: number;
  readonly world: World;
}

/** What the environment makes of a finished episode. */
export interface Score {
  readonly success: boolean;
  /** Task reward, usually in [0, 1]; violations are the kernel's business, not the environment's. */
  readonly reward: number;
}

/** One run of one task. Single use: make it, run it, drop it. */
export interface EnvironmentEpisode {
  /** What the agent sees first. */
  readonly observation: string;
  /** Drivers of this episode alone, mounted in the kernel by name for as long as it lasts. */
  readonly drivers?: Readonly<Record<string, Driver>>;
  /** The syscall that a text of the policy model asks for; `null` ends the episode. */
  parse(action: string): Syscall | null;
  /** Takes the kernel's answer to the last syscall and says what the agent sees of it. */
  step(result: SyscallResult): { readonly observation: string; readonly done: boolean };
  /** Called once, after the last step. */
  score(): Score;
}

export interface Environment<T extends Task = Task> {
  readonly tasks: readonly T[];
  /** Most syscalls an episode may make; the runner ends the episode after them. */
  readonly maxTurns: number;
  /** Options for kernel drivers that this environment needs where the config names none, by driver name. */
  readonly driverDefaults?: Readonly<Record<string, unknown>>;
  start(task: T, context: EpisodeContext): EnvironmentEpisode;
  /** The gold answer of a task in text, for programs that read exported episodes. Agents never see it. */
  answerOf?(task: T): string;
}

/** What an environment module exports by default. */
export interface EnvironmentDefinition<Options = unknown> {
  readonly name: string;
  /** Options beside `type` or `module` in the config's `env`. */
  readonly options: z.ZodType<Options>;
  /** Called once a thread. Must give the same tasks for the same options. */
  load(options: Options, context: { readonly baseDir: string }): Environment | Promise<Environment>;
}

/** Types an environment module; the module exports what this returns as its default. */
export function defineEnv<Options>(definition: EnvironmentDefinition<Options>): EnvironmentDefinition<Options> {
  return definition;
}
