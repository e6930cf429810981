import type { Agent, AgentContext, AgentMaker } from "../core/agent.ts";
import type { EpisodeKey, EpisodeRecord, EpisodeSummary } from "../core/episode.ts";
import { messageOf } from "../core/errors.ts";
import type { Syscall } from "../core/syscall.ts";
import { noTokens } from "../core/trajectory.ts";
import type { GovernedEpisode } from "../runner/governed-episode.ts";
import { playBare } from "./bare-episode.ts";
import type { OpenEpisodes } from "./open-episodes.ts";
import type { PlayedEpisodes, Player } from "./player.ts";
import type { RolloutTask } from "./rollout.ts";

/** Has agents of the user's act in a worker: one after the other where they answer at once, side by side where they wait. */
export class AgentPlayer implements Player {
  readonly #make: AgentMaker;

  constructor(make: AgentMaker) {
    this.#make = make;
  }

  async play(
    { keys, governed, recorded = true }: RolloutTask,
    _slot: number,
    episodes: OpenEpisodes,
  ): Promise<PlayedEpisodes> {
    const isBare = !governed && !recorded && !episodes.needKernel;
    const playing = keys.map((key, index) =>
      isBare ? this.#playBare(key, index, episodes) : this.#playEpisode(key, index, episodes),
    );
    const records = playing.some((record) => record instanceof Promise)
      ? await Promise.all(playing)
      : (playing as EpisodeSummary[]);
    return { records, trajectories: keys.map(() => noTokens) };
  }

  #playBare(key: EpisodeKey, index: number, episodes: OpenEpisodes): EpisodeSummary | Promise<EpisodeSummary> {
    const task = episodes.taskOf(key);
    episodes.watch.begin(index);
    // Nothing is told of its steps: it has the time of an episode.
    episodes.watch.idle();
    return playBare({ key, agent: this.#make(task, key), ...episodes.startBare(task, key) });
  }

  #playEpisode(key: EpisodeKey, index: number, episodes: OpenEpisodes): EpisodeRecord | Promise<EpisodeRecord> {
    const task = episodes.taskOf(key);
    const episode = episodes.begin(key, index);
    episodes.watch.enter("act", index);
    const agent = agentOf(episode, () => this.#make(task, key));
    const context = new EpisodeContext(episode, key.seed);
    const turns = { context, episodes, index };
    const played = agent === undefined ? undefined : episodes.inNameOf(episode, () => play(episode, agent, turns));
    return played instanceof Promise ? played.then(() => episodes.finish(key, index)) : episodes.finish(key, index);
  }
}

function agentOf(episode: GovernedEpisode, make: () => Agent): Agent | undefined {
  if (episode.done) return undefined;
  try {
    return make();
  } catch (error) {
    episode.fail("agent", messageOf(error));
    return undefined;
  }
}

/** Acts until the episode is done. A promise only from where the agent or a driver gives one. */
function play(episode: GovernedEpisode, agent: Agent, parts: TurnParts): void | Promise<void> {
  while (!episode.done) {
    const turn = takeTurn(episode, agent, parts);
    if (turn instanceof Promise) return goOn(turn, episode, agent, parts);
  }
}

async function goOn(turn: Promise<void>, episode: GovernedEpisode, agent: Agent, parts: TurnParts): Promise<void> {
  // An agent may never answer: an episode that was ended from outside does not wait for it.
  const ended = new Promise<void>((resolve) => episode.abortSignal.addEventListener("abort", () => resolve()));
  const { index, episodes } = parts;
  const within = (given: Promise<void>) => episodes.watch.within(given, episode, index);
  await Promise.race([within(turn), ended]);
  while (!episode.done) {
    const next = takeTurn(episode, agent, parts);
    if (next instanceof Promise) await Promise.race([within(next), ended]);
  }
}

interface TurnParts {
  readonly context: AgentContext;
  readonly episodes: OpenEpisodes;
  /** Of the episode in its task. */
  readonly index: number;
}

function takeTurn(
  episode: GovernedEpisode,
  agent: Agent,
  { context, episodes, index }: TurnParts,
): void | Promise<void> {
  const { watch } = episodes;
  const step = (syscall: Syscall | null) => {
    watch.enter("step", index);
    return episode.act(syscall);
  };
  episodes.poll();
  watch.check(episode, index);
  if (episode.done) return;
  try {
    watch.enter("act", index);
    const chosen = agent.act(agent.ignoresObservation === true ? "" : episode.observation, context);
    if (!(chosen instanceof Promise)) return step(chosen);
    return chosen.then(
      (syscall) => (episode.done ? undefined : step(syscall)),
      (error: unknown) => failed(episode, error),
    );
  } catch (error) {
    failed(episode, error);
  }
}

function failed(episode: GovernedEpisode, error: unknown): void {
  if (!episode.done) episode.fail("agent", messageOf(error));
}

/** What the agent of one episode sees. Its signal is made when it is first asked for. */
class EpisodeContext implements AgentContext {
  readonly seed: number;
  readonly #episode: GovernedEpisode;

  constructor(episode: GovernedEpisode, seed: number) {
    this.#episode = episode;
    this.seed = seed;
  }

  get step(): number {
    return this.#episode.stepCount;
  }

  get signal(): AbortSignal {
    return this.#episode.abortSignal;
  }
}
