import type { Agent } from "../core/agent.ts";
import type { Environment, Task } from "../core/env.ts";
import type { EpisodeKey, EpisodeRecord } from "../core/episode.ts";
import { FaradayError, InputError, messageOf } from "../core/errors.ts";
import type { SyscallResult } from "../core/syscall.ts";
import { KernelSpace } from "../kernel/kernel-space.ts";
import type { AgentOSRunner } from "./agent-os-runner.ts";
import { directEnvironment, ScriptedAgent, syscallOf } from "./direct-environment.ts";
import type { ExecutableKernel, GovernedKernel, StepMode } from "./governed-kernel.ts";
import type { GovernedRolloutFields } from "./governed-rollout.ts";
import { PolicyReward } from "./policy-reward.ts";
import { PolicyViolation, PolicyViolationError } from "./policy-violation.ts";
import { readReport, unreadable, withThrown } from "./reported-violation.ts";
import type { RunnerFace } from "./runner-face.ts";
import type { StepContext, ViolationLog } from "./violation-log.ts";

/** How a step ended. */
export type StepEnd = Pick<
  GovernedRolloutFields,
  "taskOutput" | "success" | "outcome" | "error" | "mediated" | "record"
>;

export interface StepRequest {
  readonly input: unknown;
  /** Counts the runner's steps. */
  readonly number: number;
  readonly resources: unknown;
  readonly mode: StepMode;
  readonly signal: AbortSignal;
}

interface StepParts {
  readonly face: RunnerFace;
  readonly agent: unknown;
  readonly log: ViolationLog;
  readonly context: StepContext;
}

/** Most syscalls of a step that is not an episode of an environment. */
const directTurnsMax = 1_000;

/** What one step does inside the kernel. Never throws. */
export class StepAction {
  readonly #runner: AgentOSRunner<GovernedKernel>;
  readonly #parts: StepParts;

  constructor(runner: AgentOSRunner<GovernedKernel>, parts: StepParts) {
    this.#runner = runner;
    this.#parts = parts;
  }

  async take(request: StepRequest): Promise<StepEnd> {
    const { context, face } = this.#parts;
    try {
      const { kernel } = this.#runner;
      const ended = await (kernel instanceof KernelSpace
        ? this.#episode(kernel, request)
        : this.#execute(kernel, request));
      return this.#settled(ended);
    } catch (error) {
      const stopped = error instanceof PolicyViolationError;
      if (stopped) this.#keepThrown(error.violation);
      else face.logger.error("a step broke", { error });
      const outcome = stopped || context.stopped !== null ? "stopped" : "failed";
      return this.#settled({ taskOutput: null, success: false, outcome, error: messageOf(error) });
    }
  }

  /** What the runner's own handler threw was taken there, once; a kernel may throw what it has not reported. */
  #keepThrown(violation: PolicyViolation): void {
    const { violations } = this.#parts.context;
    if (withThrown(violations, violation).length > violations.length) this.#take(violation);
  }

  /** Whatever the action answered, a violation that was thrown or is in doubt decides. */
  #settled(ended: StepEnd): StepEnd {
    const { attested, doubt, stopped, violations } = this.#parts.context;
    const counted = attested !== null && attested.violations !== violations.length;
    const mediated = ended.mediated ?? attested?.syscalls ?? null;
    const failed = { ...ended, mediated, taskOutput: null, success: false } as const;
    if (doubt !== null) return { ...failed, outcome: "quarantined", error: doubt };
    if (counted) {
      const error = `the kernel attests ${attested.violations} violations, the runner saw ${violations.length}`;
      return { ...failed, outcome: "quarantined", error };
    }
    if (stopped !== null) return { ...failed, outcome: "stopped", error: stopped.message };
    return { ...ended, mediated };
  }

  async #execute(kernel: ExecutableKernel, { input, resources, mode, signal }: StepRequest): Promise<StepEnd> {
    const { agent, context, log } = this.#parts;
    const polled = typeof kernel.onPolicyViolation !== "function";
    if (polled && log.open.size > 1) {
      for (const open of log.open) open.doubt ??= "the kernel can only be polled, and steps overlapped";
    }
    const attest = (counts: { readonly syscalls: number; readonly violations: number }) => {
      const { syscalls, violations } = context.attested ?? { syscalls: 0, violations: 0 };
      context.attested = { syscalls: syscalls + counts.syscalls, violations: violations + counts.violations };
    };
    const told = { agent, resources, mode, signal, attest };
    try {
      const output = await executeOn(kernel, input, told);
      return this.#answered(output);
    } finally {
      if (polled) this.#poll(kernel);
    }
  }

  #answered(output: unknown): StepEnd {
    const blocked = this.#parts.context.violations.find(({ actionBlocked }) => actionBlocked);
    if (blocked === undefined) return { taskOutput: output, success: true };
    return { taskOutput: null, success: false, error: blocked.description };
  }

  /** A log that cannot be read never means that there were no violations. */
  #poll(kernel: ExecutableKernel): void {
    const { context, face } = this.#parts;
    try {
      for (const reported of kernel.getRecentViolations?.() ?? []) this.#take(readReport(reported, [], "low"));
    } catch (error) {
      context.doubt ??= "the violations of the step cannot be read";
      face.logger.warning("a rollout is quarantined: its violations cannot be read", { error: messageOf(error) });
      this.#take(unreadable(context.doubt));
    }
  }

  /** Takes a violation; what is thrown for it is kept in the context, so that the rest are taken too. */
  #take(violation: PolicyViolation): void {
    try {
      this.#parts.log.take(violation);
    } catch (error) {
      if (!(error instanceof PolicyViolationError)) throw error;
    }
  }

  async #episode(kernel: KernelSpace, { input, number, resources, mode, signal }: StepRequest): Promise<StepEnd> {
    const { face, context } = this.#parts;
    await kernel.boot({ worker: 1, driverDefaults: face.environment?.driverDefaults ?? {} });
    const { agent, environment, task } = this.#work(input);
    const record = await this.#runner.run(agent, {
      environment,
      task,
      key: keyOf(task, number, mode),
      reward: face.reward ?? new PolicyReward(kernel),
      signal,
      resources,
      onResult: (result) => this.#hear(result),
    });
    if (record.violations.length !== context.violations.length) {
      context.doubt ??= `the episode has ${record.violations.length} violations, the runner saw ${context.violations.length}`;
    }
    return endOf(record);
  }

  /** Every rule that a syscall broke is taken before the first that was blocked is thrown. */
  #hear(result: SyscallResult): void {
    for (const violation of result.violations) {
      if (violation.type === "SIGNAL_SENT") this.#parts.log.signal(violation.rule);
      this.#take(PolicyViolation.of(violation));
    }
    if (this.#parts.context.stopped !== null) throw this.#parts.context.stopped;
  }

  #work(input: unknown): { readonly agent: Agent; readonly environment: Environment; readonly task: Task } {
    const { agent, face } = this.#parts;
    const task = face.environment === null ? null : taskOf(face.environment, input);
    if (face.environment !== null && task !== null) {
      if (isAgent(agent)) return { agent, environment: face.environment, task };
      throw new InputError("AgentOSRunner.step: a task needs an agent, in the runner's options or from init");
    }
    const actions = Array.isArray(input) ? input : [input];
    const direct: Task = { id: "direct", prompt: "", split: "train" };
    return {
      agent: new ScriptedAgent(actions.map(syscallOf)),
      environment: directEnvironment({ maxTurns: directTurnsMax }),
      task: direct,
    };
  }
}

function executeOn(
  kernel: ExecutableKernel,
  input: unknown,
  told: Parameters<NonNullable<ExecutableKernel["execute"]>>[1],
) {
  if (typeof kernel.executeAsync === "function") return kernel.executeAsync(input, told);
  if (typeof kernel.execute === "function") return kernel.execute(input, told);
  throw new FaradayError("the kernel has neither executeAsync nor execute; nothing was run");
}

function endOf(record: EpisodeRecord): StepEnd {
  const last = record.steps.at(-1)?.result;
  const { outcome, success } = record;
  return {
    taskOutput: success ? (last?.result ?? null) : null,
    success,
    outcome,
    error: record.error?.message ?? (success ? null : (last?.error ?? null)),
    mediated: record.stepCount,
    record,
  };
}

function keyOf(task: Task, number: number, mode: StepMode): EpisodeKey {
  return {
    id: `step-${number}`,
    phase: mode,
    iteration: 0,
    group: 0,
    index: number,
    task: task.id,
    split: task.split,
    seed: number,
    weights: 0,
  };
}

function taskOf(environment: Environment, input: unknown): Task | null {
  const id = typeof input === "object" && input !== null && "id" in input ? input.id : input;
  const known = environment.tasks.find((task) => task.id === id);
  return known ?? (isTask(input) ? input : null);
}

function isTask(input: unknown): input is Task {
  return typeof input === "object" && input !== null && "id" in input && "prompt" in input && "split" in input;
}

function isAgent(agent: unknown): agent is Agent {
  return typeof agent === "object" && agent !== null && "act" in agent && typeof agent.act === "function";
}
