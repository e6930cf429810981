import type { Agent, AgentContext } from "../core/agent.ts";
import type { Driver, EnvironmentEpisode } from "../core/env.ts";
import type { EpisodeKey, EpisodeSummary } from "../core/episode.ts";
import type { Syscall, SyscallResult } from "../core/syscall.ts";

/** An agent in an environment with nothing between them: no kernel, no record. */
export interface BareEpisodeParts {
  readonly key: EpisodeKey;
  readonly episode: EnvironmentEpisode;
  readonly agent: Agent;
  readonly maxTurns: number;
}

const nothing = Object.freeze([]);

/**
 * Plays an episode without a kernel, to measure what one costs: the environment's own drivers do what the agent asks. What breaks is thrown: a
 * measurement has no use for it.
 */
export function playBare(parts: BareEpisodeParts): EpisodeSummary | Promise<EpisodeSummary> {
  const { key, episode, agent, maxTurns } = parts;
  const operations = new Operations(episode.drivers ?? {});
  const context = new BareContext(key.seed);
  let observed: { readonly observation: string } = episode;
  const finish = () => summaryOf(key, episode, context.step);
  /** @returns Whether the episode goes on. */
  const take = (syscall: Syscall | null): boolean => {
    if (syscall === null) return false;
    const result = operations.perform(syscall);
    context.step++;
    const shown = episode.step(result);
    observed = shown;
    return !shown.done && context.step < maxTurns;
  };
  const goOn = async (first: Promise<Syscall | null>): Promise<EpisodeSummary> => {
    let more = take(await first);
    while (more) more = take(await agent.act(agent.ignoresObservation ? "" : observed.observation, context));
    return finish();
  };
  for (let more = true; more; ) {
    const chosen = agent.act(agent.ignoresObservation ? "" : observed.observation, context);
    if (chosen instanceof Promise) return goOn(chosen);
    more = take(chosen);
  }
  return finish();
}

/** Operations by the names of their syscalls. */
class Operations {
  readonly #drivers: Readonly<Record<string, Driver>>;
  #name = "";
  #run: Driver["operations"][string] | undefined;

  constructor(drivers: Readonly<Record<string, Driver>>) {
    this.#drivers = drivers;
  }

  perform({ syscall, args }: Syscall): SyscallResult {
    if (syscall !== this.#name) this.#find(syscall);
    const result = (this.#run as Driver["operations"][string])(args);
    if (result instanceof Promise)
      throw new Error(`${syscall} gives a promise, which is not measured without a kernel`);
    return { verdict: "allow", violations: nothing, outcome: "completed", result };
  }

  #find(syscall: string): void {
    const [name = "", operation = ""] = syscall.split(".");
    this.#run = this.#drivers[name]?.operations[operation];
    if (this.#run === undefined) throw new Error(`there is no syscall ${syscall}`);
    this.#name = syscall;
  }
}

class BareContext implements AgentContext {
  step = 0;
  readonly seed: number;
  #abort: AbortController | undefined;

  constructor(seed: number) {
    this.seed = seed;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }
}

function summaryOf(key: EpisodeKey, episode: EnvironmentEpisode, stepCount: number): EpisodeSummary {
  const { success, reward } = episode.score();
  const figures = { success, reward, cost: 0, scalarReward: reward, stepCount };
  return { key, outcome: "completed", ...figures, violations: nothing, oracle: null };
}
