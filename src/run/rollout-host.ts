import { getHeapStatistics } from "node:v8";
import { chooseAgent } from "../config/agent.ts";
import type { Environment, Task } from "../core/env.ts";
import { packEpisodes } from "../core/episode-columns.ts";
import { InputError, messageOf } from "../core/errors.ts";
import { packTrajectories } from "../core/trajectory.ts";
import { KernelSpace } from "../kernel/kernel-space.ts";
import type { StrayErrors } from "../pool/stray-errors.ts";
import { AgentOSRunner } from "../runner/agent-os-runner.ts";
import { PolicyReward } from "../runner/policy-reward.ts";
import { AgentPlayer } from "./agent-player.ts";
import { EpisodeWatch } from "./episode-watch.ts";
import { loadEnvironment } from "./load-environment.ts";
import { OpenEpisodes } from "./open-episodes.ts";
import type { Player } from "./player.ts";
import { PolicyPlayer } from "./policy-player.ts";
import type { RolloutResult, RolloutSetup, RolloutTask, WorkerHealth } from "./rollout.ts";
import { SignalBoard } from "./signal-board.ts";
import { SignalReceiver } from "./signal-receiver.ts";
import type { SurrogateGradient, SurrogateShard } from "./surrogate.ts";

interface HostParts {
  readonly worker: number;
  readonly environment: Environment;
  readonly kernel: KernelSpace;
  readonly player: Player;
  readonly strayErrors: StrayErrors | null;
}

/** What a worker keeps for its life: environment, kernel, and who acts. A thread's need not be disposed of: it ends with the thread. */
export class RolloutHost implements Disposable {
  /** Counts from 1 in the order of booting. */
  readonly worker: number;
  readonly #environment: Environment;
  readonly #tasks: ReadonlyMap<string, Task>;
  readonly #runner: AgentOSRunner;
  readonly #reward: PolicyReward;
  readonly #player: Player;
  readonly #signals: SignalReceiver;
  readonly #strayErrors: StrayErrors | null;
  /** That it has run. */
  #episodes = 0;

  private constructor(setup: RolloutSetup, { worker, environment, kernel, player, strayErrors }: HostParts) {
    this.worker = worker;
    this.#strayErrors = strayErrors;
    this.#environment = environment;
    this.#tasks = new Map(environment.tasks.map((task) => [task.id, task]));
    this.#runner = new AgentOSRunner(kernel, setup.runner);
    this.#reward = new PolicyReward(kernel, setup.reward);
    this.#player = player;
    this.#signals = new SignalReceiver(new SignalBoard(setup.signals), kernel);
    void this.#signals.listen();
  }

  /**
   * @param strayErrors Of the thread, where one catches them.
   * @param makePlayer Makes whoever acts; the setup's actor where it is absent.
   */
  static async boot(
    setup: RolloutSetup,
    strayErrors: StrayErrors | null = null,
    makePlayer: (setup: RolloutSetup) => Player | Promise<Player> = playerOf,
  ): Promise<RolloutHost> {
    const worker = Atomics.add(new Int32Array(setup.workerCount), 0, 1) + 1;
    const environment = await loadEnvironment(setup);
    const kernel = new KernelSpace(setup.kernel);
    await kernel.boot({
      ...{ worker, epoch: setup.epoch, driverDefaults: environment.driverDefaults ?? {} },
      together: setup.together && !setup.timed,
      ...(setup.timed ? { clock: () => performance.timeOrigin + performance.now() } : {}),
    });
    return new RolloutHost(setup, { worker, environment, kernel, player: await makePlayer(setup), strayErrors });
  }

  /** This shard's part of a gradient. */
  gradient(shard: SurrogateShard, place: { readonly slot: number; readonly step: number }): SurrogateGradient {
    if (this.#player instanceof PolicyPlayer) return this.#player.gradient(shard, place);
    throw new Error("RolloutHost.gradient: an agent that is not the policy model has no gradient");
  }

  /**
   * Runs a task's episodes. What breaks in one of them is in its record.
   * @param watch Where it says what it does.
   */
  async run(task: RolloutTask, slot: number, watch = new EpisodeWatch()): Promise<RolloutResult> {
    const episodes = new OpenEpisodes(
      {
        environment: this.#environment,
        tasks: this.#tasks,
        runner: this.#runner,
        reward: this.#reward,
        signals: this.#signals,
      },
      task,
      watch,
    );
    const { records, trajectories } = await this.#player.play(task, slot, episodes).catch((error: unknown) => {
      // The task is lost, but this worker goes on.
      episodes.abandon(messageOf(error));
      throw error;
    });
    this.#episodes += records.length;
    return {
      worker: this.worker,
      episodes: packEpisodes(records),
      trajectories: packTrajectories(trajectories),
      audit: this.#runner.kernel.recorder.seal(),
      health: this.#health(),
    };
  }

  [Symbol.dispose](): void {
    this.#signals[Symbol.dispose]();
  }

  #health(): WorkerHealth {
    const { used_heap_size, external_memory } = getHeapStatistics();
    const strayErrors = this.#strayErrors?.count ?? 0;
    return { episodes: this.#episodes, strayErrors, memoryBytes: used_heap_size + external_memory };
  }
}

async function playerOf({ actor, baseDir }: RolloutSetup): Promise<Player> {
  if ("policy" in actor) return new PolicyPlayer(actor.policy);
  const { definition, options } = await chooseAgent(actor.agent, baseDir);
  const make = await definition.load(options, { baseDir });
  if (typeof make === "function") return new AgentPlayer(make);
  throw new InputError(`agent ${definition.name}: load must give a function that makes an episode's agent`);
}
