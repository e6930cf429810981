import type { Environment, EnvironmentEpisode, Task } from "../core/env.ts";
import type { EpisodeKey } from "../core/episode.ts";
import { InputError, messageOf } from "../core/errors.ts";
import type { Syscall, SyscallResult } from "../core/syscall.ts";
import type { KernelSession } from "../kernel/kernel-session.ts";
import type { KernelSpace } from "../kernel/kernel-space.ts";
import type { ActionExecutor, ActionResult } from "./action-executor.ts";
import { syscallOf } from "./direct-environment.ts";
import { PolicyViolation } from "./policy-violation.ts";
import { disagreement } from "./reconcile.ts";

export interface SessionExecutorOptions {
  /** Where tasks, observations and scores come from; without it, actions are syscalls or SQL texts. */
  readonly environment: Environment | null;
  /** The syscall of an action; `null` ends the episode. Default: the environment's `parse`, or the action itself. */
  readonly toSyscall: ((action: never) => Syscall | null) | null;
}

/** Actions on a KernelSpace: each episode is a session of its own, with a database state of its own. */
export class SessionExecutor implements ActionExecutor {
  readonly #kernel: KernelSpace;
  readonly #options: SessionExecutorOptions;
  #session: KernelSession | null = null;
  #episode: EnvironmentEpisode | null = null;
  #episodes = 0;
  #answered = 0;
  #violations = 0;

  constructor(kernel: KernelSpace, options: SessionExecutorOptions) {
    this.#kernel = kernel;
    this.#options = options;
  }

  async reset(options: {
    readonly seed: number;
    readonly task: unknown;
    readonly resetKernel: boolean;
  }): Promise<unknown> {
    const { environment } = this.#options;
    await this.#kernel.boot({ worker: 1, driverDefaults: environment?.driverDefaults ?? {} });
    const task = environment === null ? null : this.#task(environment, options);
    if (options.resetKernel || environment !== null || this.#session?.terminated != null) this.close();
    this.#session ??= this.#open(task, options.seed);
    if (environment === null || task === null) return undefined;
    this.#episode = environment.start(task, { seed: options.seed, world: this.#session.world });
    if (this.#episode.drivers !== undefined) this.#session.mount(this.#episode.drivers);
    return this.#episode.observation;
  }

  async execute(action: unknown, { last }: { readonly last: boolean }): Promise<ActionResult> {
    let answer: SyscallResult | null;
    try {
      const syscall = this.#syscall(action);
      answer = syscall === null ? null : await this.#call(syscall);
    } catch (error) {
      const doubt = this.#doubt();
      return { ...nothing, error: messageOf(error), doubt };
    }
    const result = answer === null ? { ...nothing, done: true } : this.#take(answer);
    return this.#show(answer, result, last);
  }

  close(): void {
    this.#session?.close();
    this.#session = null;
    this.#episode = null;
  }

  #open(task: Task | null, seed: number): KernelSession {
    this.#answered = 0;
    this.#violations = 0;
    return this.#kernel.open({ episode: keyOf(task, { seed, index: this.#episodes++ }) });
  }

  #task(environment: Environment, { seed, task }: { readonly seed: number; readonly task: unknown }): Task {
    const { tasks } = environment;
    const id = typeof task === "object" && task !== null && "id" in task ? task.id : task;
    const found = id === undefined ? tasks[seed % tasks.length] : tasks.find((each) => each.id === id);
    if (found !== undefined) return found;
    throw new InputError(`GovernedEnvironment.reset: the environment has no task ${String(id)}`);
  }

  #syscall(action: unknown): Syscall | null {
    const { toSyscall } = this.#options;
    if (toSyscall !== null) return toSyscall(action as never);
    if (this.#episode !== null && typeof action === "string") return this.#episode.parse(action);
    return action === null ? null : syscallOf(action);
  }

  async #call(syscall: Syscall): Promise<SyscallResult> {
    if (this.#session === null) throw new Error("there is no episode; call reset() first");
    const answer = await this.#session.execute(syscall);
    this.#answered++;
    this.#violations += answer.violations.length;
    return answer;
  }

  #take(answer: SyscallResult): ActionResult {
    const doubt = this.#doubt();
    const success = answer.outcome === "completed" && doubt === null;
    return {
      success,
      result: success ? (answer.result ?? null) : null,
      error: answer.error ?? doubt,
      violations: answer.violations.map((violation) => PolicyViolation.of(violation)),
      doubt,
      done: doubt !== null || this.#session?.terminated != null,
    };
  }

  /** What the environment makes of it. Where it breaks, what is known of the action stays, and the episode ends. */
  #show(answer: SyscallResult | null, result: ActionResult, last: boolean): ActionResult {
    const episode = this.#episode;
    if (episode === null) return result;
    try {
      const shown = answer === null ? null : episode.step(answer);
      const done = result.done || shown?.done === true;
      const earned = (done || last) && result.doubt === null && this.#session?.terminated == null;
      const reward = earned ? scoreOf(episode) : 0;
      return { ...result, done, reward, ...(shown === null ? {} : { state: shown.observation }) };
    } catch (error) {
      return { ...result, success: false, result: null, error: messageOf(error), done: true, reward: 0 };
    }
  }

  #doubt(): string | null {
    if (this.#session === null) return null;
    const penalised = { syscalls: this.#answered, violations: this.#violations };
    return disagreement({ ...this.#session.counts, penalised });
  }
}

function scoreOf(episode: EnvironmentEpisode): number {
  const { reward } = episode.score();
  if (Number.isFinite(reward)) return reward;
  throw new Error(`score().reward must be a finite number, got ${reward}`);
}

const nothing: ActionResult = { success: false, result: null, error: null, violations: [], doubt: null, done: false };

function keyOf(task: Task | null, { seed, index }: { readonly seed: number; readonly index: number }): EpisodeKey {
  return {
    id: `environment-${index}`,
    phase: "train",
    iteration: 0,
    group: 0,
    index,
    task: task?.id ?? "direct",
    split: task?.split ?? "train",
    seed,
    weights: 0,
  };
}
