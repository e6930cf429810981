import type { Worker } from "node:worker_threads";
import { ActivityWriter } from "../../src/pool/activity-board.ts";
import { type FaultKind, WorkerFault } from "../../src/pool/worker-fault.ts";
import type { PoolOptions, TaskOptions } from "../../src/pool/workers.ts";
import { episodeName } from "../../src/run/attempt-name.ts";
import { type KeyColumns, unpackKeys } from "../../src/run/episode-keys.ts";
import { EpisodeWatch } from "../../src/run/episode-watch.ts";
import type { RolloutResult, RolloutSetup, WorkerTask } from "../../src/run/rollout.ts";
import { RolloutHost } from "../../src/run/rollout-host.ts";
import type { RolloutWorkers } from "../../src/run/rollout-workers.ts";
import type { SurrogateGradient } from "../../src/run/surrogate.ts";
import { corrupted } from "./corrupt-reply.ts";
import { LampsPlayer } from "./lamps-player.ts";
import type { Scenario } from "./scenario.ts";
import { never, type SimulatedProcess } from "./simulated-time.ts";

type Result = RolloutResult | SurrogateGradient;

/** A task that was given to the workers and is not settled. */
interface Held {
  readonly task: WorkerTask;
  readonly options: TaskOptions;
  readonly answered: PromiseWithResolvers<Result>;
}

/** One worker: what a thread would hold. */
interface SimulatedWorker {
  readonly thread: number;
  readonly tasks: Set<Held>;
  host: Promise<RolloutHost> | undefined;
  player: LampsPlayer | undefined;
  retiring: boolean;
  dead: boolean;
}

interface SimulatedParts {
  readonly scenario: Pick<Scenario, "chance" | "config" | "happens" | "kills">;
  readonly process: SimulatedProcess;
  /** Sends SIGKILL to an episode, by its name. */
  readonly kill: (episode: string) => void;
}

/**
 * Workers without threads, in the place of a WorkerPool: the same host, kernel and environment in each, and the faults of a scenario. They die, hang and
 * answer as threads do; a worker that died does nothing more, and another takes its place.
 */
export class SimulatedWorkers implements RolloutWorkers {
  readonly threads: readonly Worker[] = [];
  readonly #scenario: SimulatedParts["scenario"];
  readonly #process: SimulatedProcess;
  readonly #kill: SimulatedParts["kill"];
  readonly #setup: RolloutSetup;
  readonly #tasksPerWorker: number;
  readonly #workers: SimulatedWorker[];
  readonly #waiting: Held[] = [];
  #threads = 0;

  constructor({ workers, setup, tasksPerWorker = 1 }: PoolOptions, { scenario, process, kill }: SimulatedParts) {
    this.#scenario = scenario;
    this.#process = process;
    this.#kill = kill;
    this.#setup = setup as RolloutSetup;
    this.#tasksPerWorker = tasksPerWorker;
    this.#workers = Array.from({ length: workers }, () => this.#start());
  }

  run(task: WorkerTask, options: TaskOptions = {}): Promise<Result> {
    const held: Held = { task, options, answered: Promise.withResolvers<Result>() };
    const { signal } = options;
    if (signal?.aborted) return Promise.reject(new WorkerFault("ended", signal.reason));
    const abort = () => this.#abort(held, signal?.reason);
    signal?.addEventListener("abort", abort);
    // The system keeps a signal with a listener, and all that this knows, for as long as it may be told.
    this.#process.held.defer(() => signal?.removeEventListener("abort", abort));
    this.#waiting.push(held);
    this.#assign();
    return held.answered.promise;
  }

  retire(thread: number): void {
    const worker = this.#workers.find((each) => each.thread === thread);
    if (worker === undefined) return;
    worker.retiring = true;
    this.#replaceRetired(worker);
    this.#assign();
  }

  /** All of them see memory as it is. */
  share(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) worker.dead = true;
  }

  #start(): SimulatedWorker {
    const thread = ++this.#threads;
    return { thread, tasks: new Set(), host: undefined, player: undefined, retiring: false, dead: false };
  }

  #assign(): void {
    for (;;) {
      const free = this.#workers.filter(({ tasks, retiring }) => !retiring && tasks.size < this.#tasksPerWorker);
      const worker = free.sort((one, other) => one.tasks.size - other.tasks.size)[0];
      const held = worker && this.#waiting.shift();
      if (worker === undefined || held === undefined) return;
      worker.tasks.add(held);
      held.options.onAssigned?.(worker.thread);
      void this.#answer(worker, held);
    }
  }

  async #answer(worker: SimulatedWorker, held: Held): Promise<void> {
    try {
      const result = await this.#work(worker, held.task);
      if (!worker.tasks.delete(held)) return;
      held.answered.resolve(result);
      if (held.task.kind === "rollout") this.#mayKill(held.task.rollout.keys, "was answered");
    } catch (error) {
      if (!worker.tasks.delete(held)) return;
      held.answered.reject(new WorkerFault("threw", error));
    }
    this.#replaceRetired(worker);
    this.#assign();
  }

  /** What `workers/rollout.ts` does in a thread. */
  async #work(worker: SimulatedWorker, task: WorkerTask): Promise<Result> {
    const activity = task.row === null ? new ActivityWriter() : new ActivityWriter(this.#setup.activity, task.row);
    await this.#wait(worker);
    activity.enter("boot");
    worker.host ??= this.#boot(worker).catch((error: unknown) => {
      worker.host = undefined;
      throw error;
    });
    const host = await worker.host;
    activity.worker = host.worker;
    if (task.kind === "gradient") return await this.#differentiate(worker, task, activity);
    this.#mayKill(task.rollout.keys, "waits");
    const watch = new EpisodeWatch(activity, this.#setup.deadlines);
    const rollout = { ...task.rollout, keys: unpackKeys(task.rollout.keys) };
    const result = await host.run(rollout, task.slot, watch);
    this.#mayKill(task.rollout.keys, "has ended");
    await this.#wait(worker);
    const place = task.rollout.keys.phase;
    if (this.#happens("reply-dies", place)) await this.#die(worker, "died", "worker exited with code: 1");
    if (this.#happens("reply-hangs", place)) await never();
    return corrupted(result, (fault) => this.#happens(fault, place));
  }

  async #differentiate(
    worker: SimulatedWorker,
    { shard, slot }: Extract<WorkerTask, { kind: "gradient" }>,
    activity: ActivityWriter,
  ): Promise<SurrogateGradient> {
    activity.enter("learn");
    await this.#wait(worker);
    if (this.#happens("gradient-dies", "learn")) await this.#die(worker, "died", "worker exited with code: 1");
    if (this.#happens("gradient-hangs", "learn")) await never();
    const result = (worker.player as LampsPlayer).gradient(shard, slot);
    if (this.#happens("gradient-has-nan", "learn")) result.gradient[0] = Number.NaN;
    return result;
  }

  async #boot(worker: SimulatedWorker): Promise<RolloutHost> {
    await this.#wait(worker);
    if (this.#happens("boot-throws", "boot")) throw new Error("no memory for the environment");
    if (this.#happens("boot-dies", "boot")) await this.#die(worker, "died", "worker exited with code: 13");
    if (this.#happens("boot-hangs", "boot")) await never();
    const player = new LampsPlayer(this.#setup, (moment, episode, key) =>
      this.#live(worker, moment, {
        ...{ id: key.id, task: key.task, isOver: () => episode.done },
        fail: (message) => episode.fail("environment", message),
      }),
    );
    worker.player = player;
    return this.#process.held.use(await this.#process.real(RolloutHost.boot(this.#setup, null, () => player)));
  }

  /** A moment of an episode in the worker's hands. */
  async #live(
    worker: SimulatedWorker,
    moment: "reset" | "step",
    episode: {
      readonly id: string;
      readonly task: string;
      readonly isOver: () => boolean;
      readonly fail: (message: string) => void;
    },
  ): Promise<void> {
    await this.#wait(worker);
    const { task } = episode;
    if (!episode.isOver() && this.#happens("episode-killed", task)) this.#ask(episode.id, false);
    if (moment === "reset") {
      if (this.#happens("reset-dies", task)) await this.#die(worker, "died", "worker exited with code: 7");
      if (this.#happens("reset-hangs", task)) await never();
      return;
    }
    if (this.#happens("step-slow", task)) await this.#process.pause(this.#setup.deadlines.stepMs * 0.8);
    if (worker.dead) await never();
    if (this.#happens("step-dies", task)) await this.#die(worker, "died", "worker exited with code: 7");
    if (this.#happens("step-fills-heap", task)) await this.#die(worker, "out-of-memory", "its heap reached its limit");
    if (this.#happens("step-hangs", task)) await never();
    if (this.#happens("task-throws", task)) throw new Error("the sampler broke");
    if (this.#happens("environment-throws", task)) episode.fail("the lamp broke");
  }

  /** SIGKILL for one of a task's episodes, none of which runs. */
  #mayKill(keys: KeyColumns, when: "waits" | "has ended" | "was answered" | "is between attempts"): void {
    if (!this.#happens("episode-killed", when)) return;
    const { id } = this.#scenario.chance.pick(`killed as it ${when}`, unpackKeys(keys));
    this.#ask(id, when === "has ended" || when === "was answered");
  }

  #ask(id: string, isOver: boolean): void {
    const name = episodeName(id);
    this.#scenario.kills.ask(name, isOver);
    this.#kill(name);
  }

  #happens(fault: Parameters<Scenario["happens"]>[0], place: string): boolean {
    return this.#scenario.happens(fault, place);
  }

  /** Every wait of a worker is one that it may not live through. */
  async #wait(worker: SimulatedWorker): Promise<void> {
    await this.#process.pause(this.#scenario.chance.between("latency", 1, 20));
    if (worker.dead) await never();
  }

  async #die(worker: SimulatedWorker, kind: FaultKind, message: string): Promise<never> {
    this.#end(worker, () => new WorkerFault(kind, new Error(message)));
    return await never();
  }

  #abort(held: Held, reason: unknown): void {
    const waiting = this.#waiting.indexOf(held);
    if (waiting >= 0) this.#waiting.splice(waiting, 1);
    const worker = this.#workers.find(({ tasks }) => tasks.has(held));
    if (worker === undefined) {
      held.answered.reject(new WorkerFault("ended", reason));
      return;
    }
    this.#end(
      worker,
      (each) => new WorkerFault("ended", each === held ? reason : new Error("Terminating worker thread")),
    );
  }

  /** The worker is no more; all that it held is rejected, and a new one is in its place. */
  #end(worker: SimulatedWorker, faultOf: (held: Held) => WorkerFault): void {
    worker.dead = true;
    const tasks = [...worker.tasks];
    worker.tasks.clear();
    this.#replace(worker);
    for (const held of tasks) {
      held.answered.reject(faultOf(held));
      if (held.task.kind === "rollout") this.#mayKill(held.task.rollout.keys, "is between attempts");
    }
    this.#assign();
  }

  #replaceRetired(worker: SimulatedWorker): void {
    if (!worker.retiring || worker.dead || worker.tasks.size > 0) return;
    worker.dead = true;
    this.#replace(worker);
  }

  #replace(worker: SimulatedWorker): void {
    const place = this.#workers.indexOf(worker);
    if (place >= 0) this.#workers[place] = this.#start();
  }
}
