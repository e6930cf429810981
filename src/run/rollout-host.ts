import type { Environment, Task } from "../core/env.ts";
import type { EpisodeKey } from "../core/episode.ts";
import { packEpisodes } from "../core/episode-columns.ts";
import { messageOf } from "../core/errors.ts";
import { packTrajectories, type Trajectory } from "../core/trajectory.ts";
import { KernelSpace } from "../kernel/kernel-space.ts";
import { GradientEngine } from "../model/gradient.ts";
import { Sampler, type Speaker } from "../model/sampler.ts";
import { actId, Tokenizer } from "../model/tokenizer.ts";
import { AgentOSRunner } from "../runner/agent-os-runner.ts";
import type { GovernedEpisode } from "../runner/governed-episode.ts";
import { PolicyReward } from "../runner/policy-reward.ts";
import { loadEnvironment } from "./load-environment.ts";
import { type RolloutResult, type RolloutSetup, type RolloutTask, weightsAt } from "./rollout.ts";
import { SignalBoard } from "./signal-board.ts";
import { SignalReceiver } from "./signal-receiver.ts";
import { type SurrogateGradient, type SurrogateShard, surrogateGradient } from "./surrogate.ts";

/** Most tokens of an observation after the first that the policy model reads. */
export const observationTokensMax = 12;

/** What a worker keeps for its life: environment, kernel, sampler. */
export class RolloutHost {
  readonly #setup: RolloutSetup;
  readonly #worker: number;
  readonly #environment: Environment;
  readonly #tasks: ReadonlyMap<string, Task>;
  readonly #runner: AgentOSRunner;
  readonly #reward: PolicyReward;
  readonly #tokenizer: Tokenizer;
  readonly #sampler: Sampler;
  readonly #gradients: GradientEngine;
  readonly #signals: SignalReceiver;
  /** Updates of the policy that the sampler has. */
  #updates = -1;

  private constructor(
    setup: RolloutSetup,
    parts: {
      worker: number;
      environment: Environment;
      kernel: KernelSpace;
      sampler: Sampler;
      gradients: GradientEngine;
    },
  ) {
    this.#setup = setup;
    this.#worker = parts.worker;
    this.#environment = parts.environment;
    this.#tasks = new Map(parts.environment.tasks.map((task) => [task.id, task]));
    this.#runner = new AgentOSRunner(parts.kernel, setup.runner);
    this.#reward = new PolicyReward(parts.kernel, setup.reward);
    this.#tokenizer = Tokenizer.fromJSON(setup.tokenizer, "the tokenizer");
    this.#sampler = parts.sampler;
    this.#gradients = parts.gradients;
    this.#signals = new SignalReceiver(new SignalBoard(setup.signals), parts.kernel);
    void this.#signals.listen();
  }

  static async boot(setup: RolloutSetup): Promise<RolloutHost> {
    const worker = Atomics.add(new Int32Array(setup.workerCount), 0, 1) + 1;
    const environment = await loadEnvironment(setup);
    const kernel = new KernelSpace(setup.kernel);
    await kernel.boot({
      ...{ worker, epoch: setup.epoch, driverDefaults: environment.driverDefaults ?? {} },
      ...(setup.timed ? { clock: () => performance.timeOrigin + performance.now() } : {}),
    });
    const sampler = new Sampler(setup.architecture, { rows: setup.rows });
    const gradients = new GradientEngine(setup.architecture, { temperature: setup.temperature });
    return new RolloutHost(setup, { worker, environment, kernel, sampler, gradients });
  }

  /** This shard's part of a gradient. */
  gradient(shard: SurrogateShard, { slot, step }: { readonly slot: number; readonly step: number }): SurrogateGradient {
    return surrogateGradient(this.#gradients, { weights: weightsAt(this.#setup.weights, slot), revision: step }, shard);
  }

  /** Runs a task's episodes side by side. What breaks in one of them is in its record. */
  async run(task: RolloutTask, slot: number): Promise<RolloutResult> {
    this.#useWeights(task.weights, slot);
    const episodes: GovernedEpisode[] = [];
    const trajectories = await this.#play(task, episodes).catch((error: unknown) => {
      // The task is lost, but this worker goes on: what stays open in its kernel would stay for good.
      for (const episode of episodes) episode.fail("worker", messageOf(error));
      for (const episode of episodes) episode.finish();
      for (const { id } of task.keys) this.#signals.end(id);
      throw error;
    });
    const records = episodes.map((episode) => episode.finish());
    for (const { id } of task.keys) this.#signals.end(id);
    return {
      worker: this.#worker,
      episodes: packEpisodes(records),
      trajectories: packTrajectories(trajectories),
      audit: this.#runner.kernel.recorder.seal(),
    };
  }

  /** @param episodes Receives the episodes as they begin. */
  async #play(task: RolloutTask, episodes: GovernedEpisode[]): Promise<Trajectory[]> {
    for (const key of task.keys) episodes.push(this.#begin(key, task.governed));
    const speakers = episodes.map((episode, index) => this.#speaker(episode, (task.keys[index] as EpisodeKey).seed));
    return this.#sampler.sample(speakers, { temperature: task.temperature });
  }

  #useWeights(updates: number, slot: number): void {
    if (updates === this.#updates) return;
    this.#sampler.setWeights(weightsAt(this.#setup.weights, slot));
    this.#updates = updates;
  }

  #begin(key: EpisodeKey, governed: boolean): GovernedEpisode {
    const task = this.#tasks.get(key.task);
    if (!task) throw new Error(`the environment has no task ${key.task} in this thread; load must be deterministic`);
    const episode = this.#runner.begin({
      environment: this.#environment,
      task,
      key,
      reward: this.#reward,
      governed,
      oracle: true,
    });
    this.#signals.begin(key.id);
    return episode;
  }

  #speaker(episode: GovernedEpisode, seed: number): Speaker {
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
        this.#signals.poll();
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
