import type { EpisodeKey } from "../core/episode.ts";
import { GradientEngine } from "../model/gradient.ts";
import { Sampler, type Speaker } from "../model/sampler.ts";
import { actId, Tokenizer } from "../model/tokenizer.ts";
import type { GovernedEpisode } from "../runner/governed-episode.ts";
import type { OpenEpisodes } from "./open-episodes.ts";
import type { PlayedEpisodes, Player } from "./player.ts";
import { type PolicySetup, type RolloutTask, weightsAt } from "./rollout.ts";
import { type SurrogateGradient, type SurrogateShard, surrogateGradient } from "./surrogate.ts";

/** Most tokens of an observation after the first that the policy model reads. */
export const observationTokensMax = 12;

/** The policy model in a worker: it samples a task's episodes side by side, and it is differentiated. */
export class PolicyPlayer implements Player {
  readonly #setup: PolicySetup;
  readonly #tokenizer: Tokenizer;
  readonly #sampler: Sampler;
  readonly #gradients: GradientEngine;
  /** Updates of the policy that the sampler has. */
  #updates = -1;

  constructor(setup: PolicySetup) {
    this.#setup = setup;
    this.#tokenizer = Tokenizer.fromJSON(setup.tokenizer, "the tokenizer");
    this.#sampler = new Sampler(setup.architecture, { rows: setup.rows });
    this.#gradients = new GradientEngine(setup.architecture, { temperature: setup.temperature });
  }

  /** This shard's part of a gradient. */
  gradient(shard: SurrogateShard, { slot, step }: { readonly slot: number; readonly step: number }): SurrogateGradient {
    return surrogateGradient(this.#gradients, { weights: weightsAt(this.#setup.weights, slot), revision: step }, shard);
  }

  async play(task: RolloutTask, slot: number, episodes: OpenEpisodes): Promise<PlayedEpisodes> {
    this.#useWeights(task.weights, slot);
    const begun = task.keys.map((key) => episodes.begin(key));
    const speakers = begun.map((episode, index) =>
      this.#speaker(episode, (task.keys[index] as EpisodeKey).seed, episodes),
    );
    const trajectories = await this.#sampler.sample(speakers, { temperature: task.temperature });
    return { records: task.keys.map((key) => episodes.finish(key)), trajectories };
  }

  #useWeights(updates: number, slot: number): void {
    if (updates === this.#updates) return;
    this.#sampler.setWeights(weightsAt(this.#setup.weights, slot));
    this.#updates = updates;
  }

  #speaker(episode: GovernedEpisode, seed: number, episodes: OpenEpisodes): Speaker {
    const { promptTokens } = this.#setup.architecture;
    const prompt = [...this.#tokenizer.encode(episode.observation), actId];
    if (prompt.length > promptTokens) {
      episode.fail("environment", `the first observation has ${prompt.length} tokens, the model reads ${promptTokens}`);
    }
    return {
      prompt: episode.done ? [actId] : prompt,
      seed,
      act: (action, last) => {
        if (episode.done) return null;
        episodes.poll();
        const acted = episode.actText(this.#tokenizer.decode(action));
        const answer = () => this.#heard(episode, last);
        return acted instanceof Promise ? acted.then(answer) : answer();
      },
    };
  }

  /** What the policy model reads after an action; `null` when the episode has ended, or was to end with a completed action. */
  #heard(episode: GovernedEpisode, last: boolean): number[] | null {
    if (!episode.done && last && episode.lastResult?.outcome === "completed") episode.act(null);
    if (episode.done) return null;
    return this.#tokenizer.encode(episode.observation).slice(0, observationTokensMax);
  }
}
