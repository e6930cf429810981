import type { Agent } from "../core/agent.ts";
import type { AgentSignal } from "../core/audit.ts";
import type { Task } from "../core/env.ts";
import type { EpisodeRecord } from "../core/episode.ts";
import { InputError, messageOf } from "../core/errors.ts";
import { KernelSpace } from "../kernel/kernel-space.ts";
import type { EpisodePlan } from "./episode-plan.ts";
import { emitSafely } from "./governance-emitter.ts";
import { GovernedEpisode } from "./governed-episode.ts";
import { type ExecutableKernel, type GovernedKernel, type StepMode, stepModes } from "./governed-kernel.ts";
import { GovernedRollout, signalSummary, violationSummary } from "./governed-rollout.ts";
import { parseRunnerFace, type RunnerFace, type RunnerFaceOptions } from "./runner-face.ts";
import type { RunnerSettings } from "./runner-options.ts";
import { StepAction } from "./step-action.ts";
import { type RolloutTaskStore, worksThrough } from "./task-loop.ts";
import { StepContext, ViolationLog } from "./violation-log.ts";

export interface StepOptions {
  /** Handed to the kernel and the agent as it is. */
  readonly resources?: unknown;
  /** Default `train`. */
  readonly mode?: StepMode;
  readonly signal?: AbortSignal;
}

/** Over the life of a runner. */
export interface RunnerStats {
  readonly totalRollouts: number;
  readonly totalViolations: number;
  /** Violations a rollout; 0 where there were none. */
  readonly violationRate: number;
}

/**
 * Runs agents inside a kernel. `begin` and `run` are governed episodes of a KernelSpace; `step` and `iter` take tasks one by one, on any
 * governed kernel, and give rollouts. Whatever runs side by side, none sees another's violations.
 */
export class AgentOSRunner<Kernel extends GovernedKernel = KernelSpace> {
  readonly kernel: Kernel;
  readonly options: RunnerSettings;
  /** Whether violations are told to a function of the user's, which cannot cross to another thread. */
  readonly customCallback: boolean;
  readonly #face: RunnerFace;
  readonly #log: ViolationLog;
  readonly #episodes = new Map<string, GovernedEpisode>();
  #unregister: (() => void)[] | null = null;
  #agent: unknown;
  #workerId: number | string | null = null;
  #store: RolloutTaskStore | null = null;
  #rollouts = 0;

  /** @throws {InputError} on unknown options, a callback that is no function, or a kernel that cannot execute or tell. */
  constructor(kernel: Kernel, options: RunnerFaceOptions = {}) {
    this.#face = parseRunnerFace(kernel, options);
    this.kernel = kernel;
    this.options = this.#face.settings;
    this.customCallback = this.#face.violationCallback !== null;
    this.#agent = this.#face.agent;
    this.#log = new ViolationLog({ ...this.#face, failOnViolation: this.options.failOnViolation, kernel });
  }

  /** Starts an episode that the caller steers. An environment that breaks gives a finished, failed episode. */
  begin<T extends Task>(plan: EpisodePlan<T>): GovernedEpisode {
    if (this.kernel instanceof KernelSpace) return new GovernedEpisode(this.kernel, plan, this.options);
    throw new InputError("AgentOSRunner: episodes need a KernelSpace; other kernels take steps");
  }

  /** Runs a whole episode. Whatever breaks is in the record. An abort ends it as `cancelled`. */
  async run<T extends Task>(
    agent: Agent,
    plan: EpisodePlan<T> & { readonly signal?: AbortSignal; readonly resources?: unknown },
  ): Promise<EpisodeRecord> {
    const episode = this.begin(plan);
    this.#episodes.set(plan.key.id, episode);
    const signal = plan.signal ?? new AbortController().signal;
    while (!episode.done) {
      if (signal.aborted) {
        episode.cancel();
        break;
      }
      const context = { step: episode.stepCount, seed: plan.key.seed, signal, resources: plan.resources };
      try {
        const chosen = agent.act(episode.observation, context);
        const syscall = chosen instanceof Promise ? await chosen : chosen;
        if (!episode.done) await episode.act(syscall);
      } catch (error) {
        episode.fail("agent", messageOf(error));
      }
    }
    this.#episodes.delete(plan.key.id);
    return episode.finish();
  }

  /** Sends a signal to an episode that `run` or `step` has under way, and says whether it was delivered. */
  signal(episode: string, signal: AgentSignal): boolean {
    return this.#episodes.get(episode)?.signal(signal) ?? false;
  }

  /** Ids of the episodes that `run` or `step` has under way. */
  get episodes(): readonly string[] {
    return [...this.#episodes.keys()];
  }

  /** Takes the agent, and registers the handlers of violations and signals with a kernel that has hooks for them. */
  init(agent?: unknown): void {
    if (agent !== undefined) this.#agent = agent;
    if (this.#unregister !== null) return;
    const kernel: ExecutableKernel = this.kernel instanceof KernelSpace ? {} : this.kernel;
    this.#unregister = [kernel.onPolicyViolation?.(this.#log.report), kernel.onSignal?.(this.#log.signal)].filter(
      (given) => typeof given === "function",
    ) as (() => void)[];
  }

  initWorker(workerId: number | string, store: RolloutTaskStore | null = null): void {
    this.#workerId = workerId;
    this.#store = store;
  }

  /** Ends the registrations, and logs the totals. */
  teardown(): void {
    for (const unregister of this.#unregister ?? []) unregister();
    this.#unregister = null;
    this.#face.logger.info("runner closed", { ...this.getStats() });
  }

  teardownWorker(workerId: number | string): void {
    if (workerId !== this.#workerId) return;
    this.#workerId = null;
    this.#store = null;
  }

  get workerId(): number | string | null {
    return this.#workerId;
  }

  get store(): RolloutTaskStore | null {
    return this.#store;
  }

  /**
   * Runs one task inside the kernel. What breaks in it is in the rollout.
   * @param input What the kernel executes. For a KernelSpace: a task of the runner's environment, or its id, for its agent; a syscall,
   * several, or an SQL text.
   */
  async step<Input>(input: Input, options: StepOptions = {}): Promise<GovernedRollout<Input>> {
    const { resources = null, mode = "train", signal = new AbortController().signal } = options;
    if (!stepModes.includes(mode)) throw new InputError(`AgentOSRunner.step: mode must be train or eval, got ${mode}`);
    this.init();
    const context = new StepContext(this.#log);
    const action = new StepAction(this, { face: this.#face, agent: this.#agent, log: this.#log, context });
    const started = performance.now();
    const number = this.#rollouts++;
    const ended = await this.#log.run(context, () => action.take({ input, number, resources, mode, signal }));
    const rollout = new GovernedRollout<Input>({
      ...ended,
      taskInput: input,
      violations: context.violations,
      signalsSent: context.signals,
      executionTimeMs: performance.now() - started,
      mode,
    });
    this.#emit(rollout);
    return rollout;
  }

  /**
   * Fetches, steps and submits until no task is left or the signal is aborted.
   * @returns How many rollouts were submitted.
   */
  iter(options: Partial<RolloutTaskStore> & { readonly store?: RolloutTaskStore } & StepOptions = {}): Promise<number> {
    const { store, fetch, submit, ...step } = options;
    const source =
      fetch === undefined ? (store ?? this.#store) : { fetch, ...(submit === undefined ? {} : { submit }) };
    if (source === null) throw new InputError("AgentOSRunner.iter: expected a store or fetch, here or in initWorker");
    return worksThrough(source, { signal: step.signal, step: (task) => this.step(task, step) });
  }

  /** Violations that were reported outside every step: the newest 1,000. */
  get violations() {
    return this.#log.strayViolations;
  }

  /** Signals likewise. */
  get signals() {
    return this.#log.straySignals;
  }

  getViolationRate(): number {
    return this.#rollouts === 0 ? 0 : this.#log.total / this.#rollouts;
  }

  getStats(): RunnerStats {
    return {
      totalRollouts: this.#rollouts,
      totalViolations: this.#log.total,
      violationRate: this.getViolationRate(),
    };
  }

  #emit(rollout: GovernedRollout): void {
    const { emitter, logger } = this.#face;
    if (typeof emitter?.emitAnnotation !== "function" || !this.options.emitViolations) return;
    emitSafely(() => emitter.emitAnnotation?.("agent_os.violations", violationSummary(rollout)), logger);
    if (rollout.signalsSent.length === 0) return;
    emitSafely(() => emitter.emitAnnotation?.("agent_os.signals", signalSummary(rollout)), logger);
  }
}
