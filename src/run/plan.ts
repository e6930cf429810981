import type { Split, Task } from "../core/env.ts";
import { type EpisodeKey, type Phase, phases } from "../core/episode.ts";
import { InputError } from "../core/errors.ts";
import { deriveSeed, Random } from "../core/random.ts";
import { keyOf } from "./episode-keys.ts";
import type { RolloutTask } from "./rollout.ts";

/** One batch of episodes: which, and how they are cut into tasks for the workers. */
export interface BatchPlan {
  readonly phase: Phase;
  readonly iteration: number;
  readonly weights: number;
  readonly governed: boolean;
  /** Every task's keys in a row are the batch's keys, groups one after the other. */
  readonly tasks: readonly RolloutTask[];
  readonly groupSize: number;
}

export interface PlanOptions {
  readonly seed: number;
  readonly groupSize: number;
  readonly groupsPerBatch: number;
  /** Groups of a worker's task. */
  readonly groupsPerTask: number;
  readonly temperature: number;
  readonly evalTemperature: number;
  /** Whether training is governed; else the oracle alone watches. */
  readonly governed?: boolean;
  /** Whether the oracle looks on in training; default `true`. */
  readonly oracle?: boolean;
  /** How many updates older than the newest policy the one is that a training batch is sampled from. */
  readonly async?: { readonly stalenessMax: number } | undefined;
}

/** What separates the streams of random numbers that derive from one run's seed. */
const streams = { taskOrder: 1, training: 2, evaluation: 3, refill: 4 } as const;

/** Decides which episodes a run makes. Everything follows from the run's seed; the number of workers plays no part. */
export class Planner {
  readonly #tasks: readonly Task[];
  readonly #bySplit = new Map<Split, readonly Task[]>();
  readonly #options: PlanOptions;

  constructor(tasks: readonly Task[], options: PlanOptions) {
    this.#tasks = tasks;
    this.#options = options;
  }

  /** The split that training is watched on. */
  get watchedSplit(): Split {
    return this.#tasks.some((task) => task.split === "val") ? "val" : "test";
  }

  /** @throws {InputError} where the split has no task. */
  tasksOf(split: Split): readonly Task[] {
    const known = this.#bySplit.get(split);
    if (known !== undefined) return known;
    const tasks = this.#tasks.filter((task) => task.split === split);
    if (tasks.length === 0) {
      throw new InputError(
        `the environment must have tasks in the split ${split}, got none among ${this.#tasks.length}`,
      );
    }
    this.#bySplit.set(split, tasks);
    return tasks;
  }

  /** Groups for one update. Every training task comes once before any comes again. */
  training(iteration: number): BatchPlan {
    return this.#trainingGroups(iteration, this.#tasksOfBatch(iteration), 0);
  }

  /** More groups for an iteration, numbered on: tasks that its batch has not, in an order of the iteration's own, and then the others. */
  refill(iteration: number, { from, count }: { readonly from: number; readonly count: number }): BatchPlan {
    const { seed, groupsPerBatch } = this.#options;
    const batch = new Set(this.#tasksOfBatch(iteration));
    const tasks = new Random(deriveSeed(seed, streams.refill, iteration)).shuffle(this.tasksOf("train"));
    const order = [...tasks.filter((task) => !batch.has(task)), ...tasks.filter((task) => batch.has(task))];
    const chosen = Array.from(
      { length: count },
      (_, index) => order[(from - groupsPerBatch + index) % order.length] as Task,
    );
    return this.#trainingGroups(iteration, chosen, from);
  }

  /**
   * One more episode in the group of each that was lost.
   * @param present All episodes that the groups have.
   */
  completion(iteration: number, lost: readonly EpisodeKey[], present: readonly EpisodeKey[]): BatchPlan {
    const next = new Map<number, number>();
    for (const { group, index } of present) next.set(group, Math.max(next.get(group) ?? 0, index + 1));
    const tasks = new Map(this.tasksOf("train").map((task) => [task.id, task]));
    const keys = lost.map(({ group, task }) => {
      const index = next.get(group) ?? 0;
      next.set(group, index + 1);
      return this.#trainingKey(tasks.get(task) as Task, { iteration, group, index });
    });
    return this.#trainingPlan(iteration, keys);
  }

  /**
   * `samples` episodes a task, tasks in a fixed order and again from the first until there are at least as many episodes; the same
   * chances with and without the kernel, before and after.
   */
  evaluation(
    phase: Phase,
    options: { split: Split; episodes: number; weights: number; governed: boolean; samples?: number },
  ): BatchPlan {
    const { seed, groupsPerTask, groupSize } = this.#options;
    const { samples = 1 } = options;
    if (!phases.includes(phase)) throw new RangeError(`unknown phase ${phase}`);
    const tasks = new Random(deriveSeed(streams.evaluation)).shuffle(this.tasksOf(options.split));
    const iteration = options.weights;
    const keys = Array.from({ length: Math.ceil(options.episodes / samples) * samples }, (_, episode) => {
      const [group, index] = [Math.floor(episode / samples), episode % samples];
      const task = tasks[group % tasks.length] as Task;
      const place = { phase, iteration, group, index, weights: options.weights };
      return keyOf(task, place, deriveSeed(seed, streams.evaluation, group, ...(index === 0 ? [] : [index])));
    });
    return this.#plan(keys, {
      phase,
      iteration,
      governed: options.governed,
      groupSize: samples,
      rows: groupsPerTask * groupSize,
    });
  }

  #tasksOfBatch(iteration: number): Task[] {
    const { groupsPerBatch } = this.#options;
    return Array.from({ length: groupsPerBatch }, (_, group) =>
      this.#taskInOrder((iteration - 1) * groupsPerBatch + group),
    );
  }

  #trainingGroups(iteration: number, tasks: readonly Task[], from: number): BatchPlan {
    const keys = tasks.flatMap((task, place) =>
      Array.from({ length: this.#options.groupSize }, (_, index) =>
        this.#trainingKey(task, { iteration, group: from + place, index }),
      ),
    );
    return this.#trainingPlan(iteration, keys);
  }

  #trainingKey(task: Task, place: Pick<EpisodeKey, "iteration" | "group" | "index">): EpisodeKey {
    const { iteration, group, index } = place;
    const seed = deriveSeed(this.#options.seed, streams.training, iteration, group, index);
    return keyOf(task, { phase: "train", iteration, group, index, weights: this.#policyOf(iteration) }, seed);
  }

  #trainingPlan(iteration: number, keys: readonly EpisodeKey[]): BatchPlan {
    const { groupSize, groupsPerTask, governed = true } = this.#options;
    return this.#plan(keys, { phase: "train", iteration, governed, groupSize, rows: groupsPerTask * groupSize });
  }

  /** Updates of the policy that an iteration is sampled from: the newest, or, with `async`, one that is there so much earlier. */
  #policyOf(iteration: number): number {
    return Math.max(0, iteration - 1 - (this.#options.async?.stalenessMax ?? 0));
  }

  #taskInOrder(position: number): Task {
    const tasks = this.tasksOf("train");
    const epoch = Math.floor(position / tasks.length);
    return this.#epoch(tasks, epoch)[position % tasks.length] as Task;
  }

  #epochOrder: { epoch: number; tasks: readonly Task[] } | undefined;

  #epoch(tasks: readonly Task[], epoch: number): readonly Task[] {
    if (this.#epochOrder?.epoch !== epoch) {
      const random = new Random(deriveSeed(this.#options.seed, streams.taskOrder, epoch));
      this.#epochOrder = { epoch, tasks: random.shuffle(tasks) };
    }
    return this.#epochOrder.tasks;
  }

  #plan(
    keys: readonly EpisodeKey[],
    { rows, ...plan }: Pick<BatchPlan, "phase" | "iteration" | "governed" | "groupSize"> & { rows: number },
  ): BatchPlan {
    const weights = keys[0]?.weights ?? 0;
    const temperature = plan.phase === "train" ? this.#options.temperature : this.#options.evalTemperature;
    const tasks = Array.from({ length: Math.ceil(keys.length / rows) }, (_, part) => ({
      keys: keys.slice(part * rows, (part + 1) * rows),
      temperature,
      governed: plan.governed,
      oracle: plan.phase !== "train" || this.#options.oracle !== false,
      weights,
    }));
    return { ...plan, weights, tasks };
  }
}
