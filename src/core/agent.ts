import type { z } from "zod";
import type { Task } from "./env.ts";
import type { Syscall } from "./syscall.ts";

/** What an agent is given besides the observation. */
export interface AgentContext {
  /** Counts from 0: how many syscalls this episode has made. */
  readonly step: number;
  /** Seed of this episode; the same task and seed must give the same choices. */
  readonly seed: number;
  /** Aborted when the episode must end now. */
  readonly signal: AbortSignal;
}

/**
 * Whatever chooses the next syscall from the observation: a scripted agent, user code, a remote model. An answer
 * of `null` ends the episode. It may be synchronous or asynchronous.
 */
export interface Agent {
  /** Says that it never looks at the observation, which then need not be put into words: `act` is given an empty text. */
  readonly ignoresObservation?: boolean;
  act(observation: string, context: AgentContext): Syscall | null | Promise<Syscall | null>;
}

/** Makes the agent of one episode. */
export type AgentMaker = (task: Task, episode: { readonly seed: number }) => Agent;

/** What an agent module exports by default. */
export interface AgentDefinition<Options = unknown> {
  readonly name: string;
  /** Options beside `type` or `module` in the config's `agent`. */
  readonly options: z.ZodType<Options>;
  /** Called once a thread: what is expensive, such as a client of a remote model, belongs here. */
  load(options: Options, context: { readonly baseDir: string }): AgentMaker | Promise<AgentMaker>;
}

/** Types an agent module; the module exports what this returns as its default. */
export function defineAgent<Options>(definition: AgentDefinition<Options>): AgentDefinition<Options> {
  return definition;
}
