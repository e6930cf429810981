import type { Environment, EnvironmentEpisode, Task } from "../core/env.ts";
import type { EpisodeKey, EpisodeRecord } from "../core/episode.ts";
import { asCodeOf, type CodeOwner } from "../pool/stray-errors.ts";
import type { AgentOSRunner } from "../runner/agent-os-runner.ts";
import type { GovernedEpisode } from "../runner/governed-episode.ts";
import type { PolicyReward } from "../runner/policy-reward.ts";
import type { EpisodeWatch } from "./episode-watch.ts";
import type { RolloutTask } from "./rollout.ts";
import type { SignalReceiver } from "./signal-receiver.ts";

interface HostParts {
  readonly environment: Environment;
  readonly tasks: ReadonlyMap<string, Task>;
  readonly runner: AgentOSRunner;
  readonly reward: PolicyReward;
  readonly signals: SignalReceiver;
}

/** Who looks on, and what is written down. */
type Watching = Pick<RolloutTask, "governed" | "oracle" | "recorded">;

/** The episodes of one task of a worker's, from their beginning to their end: each reachable by signals, each finished once. */
export class OpenEpisodes {
  readonly #host: HostParts;
  readonly #observed: Watching;
  /** Where players say whose code they run. */
  readonly watch: EpisodeWatch;
  readonly #open = new Map<string, GovernedEpisode>();
  readonly #owners = new Map<GovernedEpisode, EpisodeOwner>();

  constructor(host: HostParts, { governed, oracle, recorded = true }: Watching, watch: EpisodeWatch) {
    this.#host = host;
    this.#observed = { governed, oracle, recorded };
    this.watch = watch;
  }

  taskOf(key: EpisodeKey): Task {
    const task = this.#host.tasks.get(key.task);
    if (!task) throw new Error(`the environment has no task ${key.task} in this thread; load must be deterministic`);
    return task;
  }

  /** Whether episodes need drivers that only a kernel has. */
  get needKernel(): boolean {
    return this.#host.runner.kernel.hasDrivers;
  }

  /** An episode that no kernel takes part in. */
  startBare(task: Task, { seed }: EpisodeKey): { readonly episode: EnvironmentEpisode; readonly maxTurns: number } {
    const { environment } = this.#host;
    return { episode: environment.start(task, { seed, world: {} }), maxTurns: environment.maxTurns };
  }

  /** @param index Of the episode in its task. */
  begin(key: EpisodeKey, index: number): GovernedEpisode {
    this.watch.begin(index);
    const { environment, runner, reward, signals } = this.#host;
    const task = this.taskOf(key);
    const { activity } = this.watch;
    const owner = new EpisodeOwner(key.id);
    const episode = asCodeOf(owner, () =>
      runner.begin({
        ...{ environment, task, key, reward, ...this.#observed, keepSteps: false },
        onSyscall: (name) => activity.syscall(name),
      }),
    );
    owner.episode = episode;
    this.#owners.set(episode, owner);
    this.#open.set(key.id, episode);
    signals.begin(key.id);
    return episode;
  }

  finish(key: EpisodeKey, index: number): EpisodeRecord {
    this.watch.enter("score", index);
    const episode = this.#open.get(key.id);
    if (episode === undefined) throw new Error(`OpenEpisodes.finish: ${key.id} is not open`);
    const record = this.inNameOf(episode, () => episode.finish());
    this.#close(key.id, episode);
    this.watch.idle();
    return record;
  }

  /** Runs code of an episode: what it leaves behind and breaks is put down to the episode. */
  inNameOf<T>(episode: GovernedEpisode, run: () => T): T {
    const owner = this.#owners.get(episode);
    return owner === undefined ? run() : asCodeOf(owner, run);
  }

  /** Hands on the signals that have come; cheap enough between any two syscalls. */
  poll(): void {
    this.#host.signals.poll();
  }

  /** Ends what is still open: in the kernel, it would stay so for good. */
  abandon(reason: string): void {
    for (const episode of this.#open.values()) episode.fail("worker", reason);
    for (const [id, episode] of this.#open) {
      episode.finish();
      this.#close(id, episode);
    }
  }

  #close(id: string, episode: GovernedEpisode): void {
    this.#open.delete(id);
    this.#owners.delete(episode);
    this.#host.signals.end(id);
  }
}

/** Takes what an episode's code leaves behind and breaks. */
class EpisodeOwner implements CodeOwner {
  readonly id: string;
  episode: GovernedEpisode | undefined;

  constructor(id: string) {
    this.id = id;
  }

  broke(message: string): void {
    this.episode?.breakOff("environment", message);
  }
}
