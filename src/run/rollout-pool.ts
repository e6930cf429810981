import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import type { ResolvedConfig } from "../config/config-schema.ts";
import type { DeadlineOptions, WorkerLimitOptions } from "../config/fault-options.ts";
import type { AgentSignal } from "../core/audit.ts";
import { FaradayError, messageOf } from "../core/errors.ts";
import { inTurns } from "../core/steps.ts";
import { KernelSpace } from "../kernel/kernel-space.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { activityMemory } from "../pool/activity-board.ts";
import { DeadlineWatch, type StageDeadlines, type WatchedActivity, type WatchHandle } from "../pool/deadline-watch.ts";
import { isStrayError } from "../pool/stray-errors.ts";
import { type FaultKind, SilentDeath, WorkerFault } from "../pool/worker-fault.ts";
import { workerFile } from "../pool/worker-file.ts";
import type { TaskOptions } from "../pool/workers.ts";
import { Dispatcher, type DispatcherOptions, type FinishedBatch } from "./dispatch.ts";
import { packKeys, unpackKeys } from "./episode-keys.ts";
import { lastSyscall } from "./episode-watch.ts";
import type { FaultEvent } from "./events.ts";
import { FaultLedger } from "./fault-ledger.ts";
import type { GradientSource } from "./learn.ts";
import type { BatchPlan } from "./plan.ts";
import { readingAhead } from "./reconcile.ts";
import { RecorderChains } from "./recorder-chains.ts";
import {
  learnerSlot,
  policySlot,
  type RolloutResult,
  type RolloutSetup,
  type RolloutTask,
  type SharedWeightsMemory,
  shareWeights,
  type WorkerTask,
  weightsAt,
} from "./rollout.ts";
import { type RolloutWorkers, type StartWorkers, startersOf } from "./rollout-workers.ts";
import type { TaskStatus } from "./run-status.ts";
import { SignalBoard, signalBoardMemory } from "./signal-board.ts";
import type { SurrogateGradient, SurrogateShard } from "./surrogate.ts";

/** The workers of one run and the weights that they share with it: they roll out, and they differentiate. */
export class RolloutPool implements GradientSource, AsyncDisposable {
  readonly #pool: RolloutWorkers;
  readonly #dispatcher: Dispatcher;
  /** `null` where an agent acts that is not the policy model. */
  readonly #weights: SharedWeightsMemory | null;
  readonly #signals: SignalBoard;
  readonly #watch: DeadlineWatch;
  readonly #underWay = new Set<{ readonly task: Asked; readonly watched: WatchHandle }>();
  readonly #limits: WorkerLimitOptions;
  readonly #recorders = new RecorderChains();
  /** Of each worker, what its memory was after its first task. */
  readonly #memoryAtFirst = new Map<number, number>();
  /** What went wrong so far. */
  readonly faults: FaultLedger;
  /** Counts the learner's steps. */
  #step = 0;
  /** Updates of the newest policy. */
  #updates = 0;

  /**
   * @param checkpoint The policy model; `null` where the config has an agent, which then acts.
   * @param onFault Told of what goes wrong in workers, each time.
   * @param recorders `epoch`: of the workers' recorders, more than 0 where a run is resumed; `timed`: whether they say when.
   * @param startWorkers Starts what does the tasks: what the config says where it is absent.
   */
  constructor(
    config: ResolvedConfig,
    checkpoint: Checkpoint | null,
    onFault: (event: FaultEvent) => void,
    recorders: Partial<Pick<RolloutSetup, "epoch" | "timed">> = {},
    startWorkers: StartWorkers = startersOf[config.isolation],
  ) {
    // The policies that may be sampled from while the next is written.
    this.#weights = checkpoint === null ? null : shareWeights(checkpoint.weights, stalenessOf(config) + 2);
    this.#watch = new DeadlineWatch(stageDeadlines(config.deadlines), (clock) => this.#pool.share(clock));
    const actor = actorOf(config, checkpoint, this.#weights);
    const setup = { ...setupOf(config, actor), activity: this.#watch.memory, ...recorders };
    this.#signals = new SignalBoard(setup.signals);
    this.#limits = config.workerLimits;
    this.faults = new FaultLedger(config.retries);
    const workers = workerCountOf(config);
    const tasksPerWorker = config.concurrentTasksPerWorker;
    this.#pool = startWorkers({
      ...{ file: workerFile("rollout"), workers, setup, tasksPerWorker },
      limits: config.workerLimits,
      onUnended: (thread) => {
        const reason = `thread ${thread} was ended and goes on all the same: its code cannot be interrupted`;
        onFault({ type: "worker-unended", reason });
      },
      onMessage: (message) => {
        if (!isStrayError(message)) return;
        onFault({ type: "stray-error", episode: message.stray, reason: message.reason });
      },
    });
    const run: DispatcherOptions["run"] = (rollout, options) => this.#rollOut(rollout, options);
    this.#dispatcher = new Dispatcher({ run, workers, tasksPerWorker, faults: this.faults, onFault });
  }

  /** Gradients from here on are those of these weights. None of older ones than the last may still be under way. */
  publish(weights: Float32Array): void {
    this.#step++;
    this.#write(learnerSlot(this.#step), weights);
  }

  /**
   * From here on, the policy that has had so many updates can be rolled out. The newest is published last; as many before it stay as
   * `train.async` may ask for.
   */
  publishPolicy(updates: number, weights: Float32Array): void {
    this.#updates = updates;
    this.#write(policySlot(this.#policyWeights, updates), weights);
  }

  gradients(shards: readonly SurrogateShard[]): Promise<SurrogateGradient[]> {
    const step = this.#step;
    return Promise.all(
      shards.map((shard) => this.#gradient({ kind: "gradient", shard, step, slot: learnerSlot(step) })),
    );
  }

  /**
   * Sends a signal to an episode of this run, begun or not; one that has ended takes no notice.
   * @param episode Its name in the run, such as `train-3-0-7`.
   */
  signal(episode: string, signal: AgentSignal): void {
    const slot = this.#signals.post(episode, signal);
    const written = this.#signals.written(slot);
    this.#pool.share(written.slot, { isWatched: true });
    this.#pool.share(written.count);
    if (signal === "SIGKILL") this.#dispatcher.kill(episode, () => this.#signals.taken(slot));
  }

  /** Workers that live, for whoever measures them; none where they are processes. */
  get threads(): readonly Worker[] {
    return this.#pool.threads;
  }

  run(plan: BatchPlan): Promise<FinishedBatch> {
    return this.#dispatcher.batch(plan);
  }

  get #policyWeights(): SharedWeightsMemory {
    if (this.#weights === null) throw new Error("RolloutPool: there is no policy model, the config has an agent");
    return this.#weights;
  }

  #write(slot: number, weights: Float32Array): void {
    const written = weightsAt(this.#policyWeights, slot);
    written.set(weights);
    this.#pool.share(written);
  }

  #slotOf({ weights }: RolloutTask): number {
    if (this.#weights === null) return 0;
    const age = this.#updates - weights;
    if (age < 0 || age >= this.#weights.policies - 1)
      throw new RangeError(`policy ${weights} was asked for, ${this.#updates} is the newest`);
    return policySlot(this.#weights, weights);
  }

  /** Its worker may be ended by what environments have left in it. */
  async #gradient(task: Asked<"gradient">): Promise<SurrogateGradient> {
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.#ask(task)) as SurrogateGradient;
      } catch (error) {
        if (attempt < gradientAttempts) continue;
        throw new FaradayError(`no gradient came back in ${attempt} attempts: ${messageOf(error)}`, { cause: error });
      }
    }
  }

  async #rollOut(rollout: RolloutTask, { signal }: { readonly signal: AbortSignal }): Promise<RolloutResult> {
    let thread = 0;
    const onAssigned = (id: number) => {
      thread = id;
    };
    const packed = { ...rollout, keys: packKeys(rollout.keys) };
    const task = { kind: "rollout", rollout: packed, slot: this.#slotOf(rollout) } as const;
    const result = (await this.#ask(task, { signal, onAssigned })) as RolloutResult;
    try {
      this.#recorders.follow(thread, result?.audit);
    } catch (error) {
      // Nothing that it records from here on could be kept.
      this.#pool.retire(thread);
      throw error;
    }
    if (this.#isSpent(result)) this.#pool.retire(thread);
    await inTurns(readingAhead(result.audit));
    return result;
  }

  /** @throws {WorkerFault} that says what the worker was doing. */
  async #ask(task: Asked, options: TaskOptions = {}): Promise<RolloutResult | SurrogateGradient> {
    const late = new AbortController();
    using watched = this.#watch.watch((activity) =>
      late.abort(new WorkerFault(lateKind(activity), overdue(activity), activity)),
    );
    const signal = AbortSignal.any([late.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    let thread: number | null = null;
    const onAssigned = (id: number) => {
      thread = id;
      watched.assigned();
      options.onAssigned?.(id);
    };
    const underWay = { task, watched };
    this.#underWay.add(underWay);
    try {
      return await this.#pool.run({ ...task, row: watched.row }, { signal, onAssigned, watched: watched.memory });
    } catch (error) {
      if (late.signal.aborted) throw late.signal.reason;
      const { kind, cause } = error as WorkerFault;
      // What is at fault may have been left there by an earlier task.
      if (kind === "threw" && thread !== null) {
        this.#recorders.doubt(thread);
        this.#pool.retire(thread);
      }
      const { activity: told } = watched;
      // A process that ended without a word may have been further than it had told.
      const isSilent = cause instanceof SilentDeath;
      const activity = told !== null && isSilent ? { ...told, episode: null } : told;
      const inBoot = activity?.stage === "boot" && kind !== "ended" && !isSilent;
      throw new WorkerFault(inBoot ? "boot" : kind, cause, activity);
    } finally {
      this.#underWay.delete(underWay);
    }
  }

  /** What is under way, and what it does. */
  tasks(): TaskStatus[] {
    return [...this.#underWay].flatMap(({ task, watched: { activity } }) => {
      if (activity === null) return [];
      const keys = task.kind === "rollout" ? unpackKeys(task.rollout.keys) : [];
      const { stage, worker, episode, syscalls, syscall, forMs, deadlineMs } = activity;
      return {
        ...{ worker, stage, seconds: forMs / 1000, episodes: keys.length, syscalls, syscall },
        deadlineSeconds: Number.isFinite(deadlineMs) ? deadlineMs / 1000 : null,
        episode: episode === null ? null : (keys[episode]?.id ?? null),
      };
    });
  }

  /** Whether a worker has run or grown so much that a new one is to take its place, or cannot say so. */
  #isSpent({ worker, health }: RolloutResult): boolean {
    const { episodes, growthMb } = this.#limits;
    if (!Number.isFinite(health?.memoryBytes)) return true;
    const first = this.#memoryAtFirst.get(worker) ?? health.memoryBytes;
    this.#memoryAtFirst.set(worker, first);
    const hasGrown = growthMb > 0 && health.memoryBytes - first > growthMb * 2 ** 20;
    // What broke may have left more behind.
    return hasGrown || health.strayErrors > 0 || (episodes > 0 && health.episodes >= episodes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch[Symbol.dispose]();
    await this.#pool[Symbol.asyncDispose]();
  }
}

/** A task before it has a row. */
type Asked<Kind extends WorkerTask["kind"] = WorkerTask["kind"]> = WorkerTask extends infer T
  ? T extends { readonly kind: Kind }
    ? Omit<T, "row">
    : never
  : never;

const gradientAttempts = 3;
/** How long after a step's deadline a worker that awaits something is left to say so itself. */
const graceMs = 500;

function stageDeadlines({ bootMs, resetMs, stepMs, scoreMs, episodeMs }: DeadlineOptions): StageDeadlines {
  return {
    ...{ boot: bootMs, reset: resetMs, act: stepMs, step: stepMs, score: scoreMs, wait: stepMs + graceMs },
    ...{ model: episodeMs, learn: episodeMs },
  };
}

/** Before it begins, what a task waits for is none of its own code. */
function lateKind({ stage }: WatchedActivity): FaultKind {
  if (stage === "queued") return "ended";
  return stage === "boot" ? "boot" : "timed-out";
}

function overdue({ stage, syscall, deadlineMs }: WatchedActivity): string {
  const what = stage === "queued" ? "it did not begin its task" : stage;
  return `${what}: not done within its deadline of ${deadlineMs} ms; ${lastSyscall(syscall)}`;
}

/** How many updates older than the newest policy the one may be that is sampled from. */
export function stalenessOf({ train }: Pick<ResolvedConfig, "train">): number {
  return train.async?.stalenessMax ?? 0;
}

export function workerCountOf({ workers }: ResolvedConfig): number {
  return workers === "auto" ? availableParallelism() : workers;
}

/** Who acts in the workers: the config's agent, else the policy model of the checkpoint with these weights. */
export function actorOf(
  { agent, train }: ResolvedConfig,
  checkpoint: Checkpoint | null,
  weights: SharedWeightsMemory | null,
): RolloutSetup["actor"] {
  if (agent !== undefined) return { agent };
  if (checkpoint === null || weights === null)
    throw new Error("RolloutPool: without an agent, a policy model must act");
  const { architecture, tokenizer } = checkpoint;
  return {
    policy: {
      architecture,
      tokenizer: JSON.parse(JSON.stringify(tokenizer)),
      rows: train.groupsPerTask * train.groupSize,
      weights,
      temperature: train.temperature,
    },
  };
}

/** What every worker of a run is given. */
export function setupOf(config: ResolvedConfig, actor: RolloutSetup["actor"]): RolloutSetup {
  return {
    actor,
    env: config.env,
    baseDir: config.baseDir,
    kernel: new KernelSpace(config.kernel).spec,
    runner: config.runner,
    reward: config.reward,
    epoch: 0,
    together: config.audit.calls === "together",
    timed: false,
    activity: activityMemory(),
    deadlines: config.deadlines,
    workerCount: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
    signals: signalBoardMemory(),
  };
}
