import type { EpisodeKey, EpisodeSummary } from "../../src/core/episode.ts";
import { Random } from "../../src/core/random.ts";
import { type Trajectory, trajectoryAt } from "../../src/core/trajectory.ts";
import { noFigures } from "../../src/grpo/policy-loss.ts";
import type { OpenEpisodes } from "../../src/run/open-episodes.ts";
import type { PlayedEpisodes, Player } from "../../src/run/player.ts";
import { type RolloutSetup, type RolloutTask, weightsAt } from "../../src/run/rollout.ts";
import type { SurrogateGradient, SurrogateShard } from "../../src/run/surrogate.ts";
import type { GovernedEpisode } from "../../src/runner/governed-episode.ts";
import { buttons } from "./lamps-env.ts";

/** Awaited at moments of an episode: what is never settled is a worker that hangs, or is no more. What it throws breaks the whole task. */
export type OnMoment = (moment: "reset" | "step", episode: GovernedEpisode, key: EpisodeKey) => Promise<void>;

/** A preference for each button, the first of the weights, in the transformer's place: sampled and differentiated within microseconds. */
export class LampsPlayer implements Player {
  readonly #setup: RolloutSetup;
  readonly #onMoment: OnMoment;

  constructor(setup: RolloutSetup, onMoment: OnMoment) {
    this.#setup = setup;
    this.#onMoment = onMoment;
  }

  async play(task: RolloutTask, slot: number, episodes: OpenEpisodes): Promise<PlayedEpisodes> {
    const records: EpisodeSummary[] = [];
    const trajectories: Trajectory[] = [];
    const chances = chancesOf(this.#weights(slot));
    for (const [index, key] of task.keys.entries()) {
      const episode = episodes.begin(key, index);
      await this.#onMoment("reset", episode, key);
      const random = new Random(key.seed);
      const pressed: number[] = [];
      while (!episode.done) {
        episodes.watch.enter("step", index);
        await this.#onMoment("step", episode, key);
        episodes.poll();
        if (episode.done) break;
        const button = sampled(chances, random);
        pressed.push(button);
        await episode.actText(String(button));
      }
      records.push(episodes.finish(key, index));
      trajectories.push(trajectoryOf(pressed, chances));
    }
    return { records, trajectories };
  }

  /** Of the policy gradient's loss, −weight · advantage · log p, summed over presses. */
  gradient({ trajectories, advantages, weights }: SurrogateShard, slot: number): SurrogateGradient {
    const values = this.#weights(slot);
    const chances = chancesOf(values);
    const gradient = new Float32Array(values.length);
    const figures = noFigures();
    for (const [row, advantage] of advantages.entries()) {
      const { tokens } = trajectoryAt(trajectories, row);
      const scale = (weights[row] as number) * advantage;
      for (const pressed of tokens) {
        figures.loss -= scale * Math.log(chances[pressed] as number);
        for (const [button, chance] of chances.entries()) {
          gradient[button] = (gradient[button] as number) - scale * ((button === pressed ? 1 : 0) - chance);
        }
      }
    }
    return { gradient, figures };
  }

  #weights(slot: number): Float32Array {
    if (!("policy" in this.#setup.actor)) throw new Error("the simulation trains a policy");
    return weightsAt(this.#setup.actor.policy.weights, slot);
  }
}

/** The softmax of the preferences. */
function chancesOf(weights: Float32Array): number[] {
  const powers = Array.from(weights.subarray(0, buttons), Math.exp);
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

function sampled(chances: readonly number[], random: Random): number {
  let left = random.next();
  const button = chances.findIndex((chance) => {
    left -= chance;
    return left < 0;
  });
  return button < 0 ? chances.length - 1 : button;
}

function trajectoryOf(pressed: readonly number[], chances: readonly number[]): Trajectory {
  return {
    tokens: Int32Array.from(pressed),
    chosen: new Uint8Array(pressed.length).fill(1),
    logProbabilities: Float32Array.from(pressed, (button) => Math.log(chances[button] as number)),
  };
}
