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
  /** Samplers that no task is using: tasks that a worker has at the same time have one each. */
  readonly #samplers: WeightedSampler[] = [];
  readonly #gradients: GradientEngine;

  constructor(setup: PolicySetup) {
    this.#setup = setup;
    this.#tokenizer = Tokenizer.fromJSON(setup.tokenizer, "the tokenizer");
    this.#gradients = new GradientEngine(setup.architecture, { temperature: setup.temperature });
  }

  /** This shard's part of a gradient. */
  gradient(shard: SurrogateShard, { slot, step }: { readonly slot: number; readonly step: number }): SurrogateGradient {
    return surrogateGradient(this.#gradients, { weights: weightsAt(this.#setup.weights, slot), revision: step }, shard);
  }

  async play(task: RolloutTask, slot: number, episodes: OpenEpisodes): Promise<PlayedEpisodes> {
    const { architecture, rows } = this.#setup;
    const own = this.#samplers.pop() ?? { sampler: new Sampler(architecture, { rows }), updates: -1 };
    try {
      this.#useWeights(own, task.weights, slot);
      const begun = task.keys.map((key, index) => episodes.begin(key, index));
      episodes.watch.idle();
      const speakers = begun.map((episode, index) =>
        this.#speaker(episode, task.keys[index] as EpisodeKey, { index, episodes }),
      );
      const trajectories = await own.sampler.sample(speakers, { temperature: task.temperature });
      return { records: task.keys.map((key, index) => episodes.finish(key, index)), trajectories };
    } finally {
      this.#samplers.push(own);
    }
  }

  #useWeights(own: WeightedSampler, updates: number, slot: number): void {
    if (updates === own.updates) return;
    own.sampler.setWeights(weightsAt(this.#setup.weights, slot));
    own.updates = updates;
  }

  #speaker(episode: GovernedEpisode, { seed }: EpisodeKey, { index, episodes }: Place): Speaker {
    const { watch } = episodes;
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
        watch.check(episode, index);
        if (episode.done) return null;
        watch.enter("step", index);
        const acted = episodes.inNameOf(episode, () => episode.actText(this.#tokenizer.decode(action)));
        const answer = () => {
          const heard = this.#heard(episode, last);
          watch.idle();
          return heard;
        };
        return acted instanceof Promise ? watch.within(acted, episode, index).then(answer) : answer();
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

interface WeightedSampler {
  readonly sampler: Sampler;
  /** Of the policy whose weights it has. */
  updates: number;
}

interface Place {
  /** Of the episode in its task. */
  readonly index: number;
  readonly episodes: OpenEpisodes;
}
