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
  act(observation: string, context: AgentContext): Syscall | null | Promise<Syscall | null>;
}
