import type { AgentSignal } from "../core/audit.ts";
import type { EnvironmentEpisode, Score, Task } from "../core/env.ts";
import type { Boundary, EpisodeError, EpisodeOutcome, EpisodeRecord, StepRecord } from "../core/episode.ts";
import { messageOf } from "../core/errors.ts";
import type { Syscall, SyscallResult, Violation } from "../core/syscall.ts";
import type { KernelSession } from "../kernel/kernel-session.ts";
import type { KernelSpace } from "../kernel/kernel-space.ts";
import { createOracle, type Oracle } from "../oracle/oracle.ts";
import type { EpisodePlan } from "./episode-plan.ts";
import type { Price } from "./policy-reward.ts";
import { PolicyViolationError } from "./policy-violation.ts";
import { disagreement } from "./reconcile.ts";
import type { RunnerSettings } from "./runner-options.ts";
import { statementOf } from "./statement.ts";

/** One episode under way: the caller gives syscalls, or texts that the environment parses, until it is `done`. */
export class GovernedEpisode {
  readonly #plan: EpisodePlan;
  readonly #options: RunnerSettings;
  readonly #session: KernelSession;
  readonly #oracle: Oracle | null;
  readonly #steps: StepRecord[] = [];
  readonly #found: (Violation & { readonly step: number; readonly statement: string })[] = [];
  #stepCount = 0;
  #last: SyscallResult | null = null;
  readonly #signals: AgentSignal[] = [];
  #environment: EnvironmentEpisode | undefined;
  /** What the environment showed last, until it is read. */
  #shown: { readonly observation: string } | undefined;
  #observation = "";
  #outcome: EpisodeOutcome | null = null;
  #error: EpisodeError | undefined;
  #finished = false;
  #abort: AbortSignal | undefined;

  constructor(kernel: KernelSpace, plan: EpisodePlan, options: RunnerSettings) {
    this.#plan = plan;
    this.#options = options;
    this.#session = kernel.open({
      ...{ episode: plan.key, governed: plan.governed ?? true, recorded: plan.recorded ?? true },
      ...(plan.onSyscall === undefined ? {} : { onSyscall: plan.onSyscall }),
    });
    this.#oracle = plan.oracle === true ? createOracle(this.#session, kernel.policies) : null;
    this.#guard("environment", () => {
      this.#environment = startEnvironment(plan, this.#session);
      this.#shown = this.#environment;
    });
  }

  /** What the agent sees now. */
  get observation(): string {
    const shown = this.#shown;
    if (shown !== undefined) {
      this.#shown = undefined;
      const source = this.#stepCount === 0 ? "start()" : "step()";
      this.#observation = this.#guard("environment", () => checkedObservation(shown.observation, source)) ?? "";
    }
    return this.#observation;
  }

  /** Whether nothing more can be done but to finish. */
  get done(): boolean {
    if (this.#session.terminated === "SIGKILL") this.#end("killed");
    return this.#outcome !== null;
  }

  /** Aborted when the episode is ended from outside while its agent, or a driver, has not answered. */
  get abortSignal(): AbortSignal {
    this.#abort ??= this.#session.abortedWhenKilled();
    return this.#abort;
  }

  /** The signals that were delivered through {@link signal}. */
  get signals(): readonly AgentSignal[] {
    return this.#signals;
  }

  /** How many syscalls were made. */
  get stepCount(): number {
    return this.#stepCount;
  }

  /** Name of the newest syscall, answered or not; empty before the first. */
  get lastSyscall(): string {
    return this.#session.lastSyscall;
  }

  /** The kernel's answer to the newest syscall; `null` before the first. */
  get lastResult(): SyscallResult | null {
    return this.#last;
  }

  /** Takes the policy model's text for the next step. A promise only where a driver of the environment gives one. */
  actText(text: string): void | Promise<void> {
    const syscall = this.#guard("environment", () => this.#environment?.parse(text) ?? null);
    if (syscall !== undefined) return this.act(syscall);
  }

  /** Makes one syscall and shows its answer to the environment; `null` ends the episode. */
  act(syscall: Syscall | null): void | Promise<void> {
    if (this.done) throw new Error("GovernedEpisode.act: the episode is done");
    if (syscall === null) {
      this.#end("completed");
      return;
    }
    const answer = this.#guard("kernel", () => this.#session.execute(syscall));
    if (answer === undefined) return;
    if (!(answer instanceof Promise)) return this.#take(syscall, answer);
    return answer.then(
      (result) => this.#take(syscall, result),
      (error) => this.fail("kernel", messageOf(error)),
    );
  }

  /**
   * Sends a signal to the episode: SIGSTOP holds its syscalls until SIGCONT, SIGTERM ends it with its next one, SIGKILL now.
   * @returns Whether it was delivered.
   */
  signal(signal: AgentSignal): boolean {
    const delivered = !this.#finished && this.#session.signal(signal);
    if (delivered) this.#signals.push(signal);
    return delivered;
  }

  /** Ends the episode because its run ends. */
  cancel(): void {
    this.#end("cancelled");
  }

  /** Ends the episode because something broke, and says whose fault it is. */
  fail(boundary: Boundary, message: string): void {
    if (this.#outcome === "failed" || this.#outcome === "timed-out") return;
    this.#error = { boundary, message };
    this.#outcome = "failed";
  }

  /** Ends the episode because it, or what it awaits, took too long; a syscall that is pending is answered as SIGKILL does. */
  timeOut(message: string): void {
    if (this.#outcome !== null) return;
    this.#error = { boundary: this.#session.awaiting ? "environment" : "agent", message };
    this.#outcome = "timed-out";
    this.#session.signal("SIGKILL");
  }

  /** Ends the episode because its code broke where nobody waits for it; what is pending is answered as SIGKILL does. */
  breakOff(boundary: Boundary, message: string): void {
    if (this.#finished) return;
    this.fail(boundary, message);
    this.#session.signal("SIGKILL");
  }

  /** Whether SIGSTOP holds it. */
  get held(): boolean {
    return this.#session.held;
  }

  /** Scores the episode, closes its session, and hands over the record: once. Ends it where it was not done. */
  finish(): EpisodeRecord {
    if (this.#finished) throw new Error("GovernedEpisode.finish: the episode is finished");
    this.#finished = true;
    if (!this.done) this.#end("completed");
    const score = this.#score();
    const oracle = this.#guard("kernel", () => this.#oracle?.findings() ?? null) ?? null;
    const found = this.#found;
    const price = this.#reconcile(this.#price(score, found), found);
    const record: EpisodeRecord = {
      key: this.#plan.key,
      outcome: this.#outcome ?? "completed",
      ...(this.#error === undefined ? {} : { error: this.#error }),
      success: this.#outcome === "completed" && score?.success === true,
      reward: price.reward,
      cost: price.cost,
      scalarReward: price.scalarReward,
      violations: found.map((violation, index) => ({ ...violation, penalty: price.penalties[index] ?? 0 })),
      oracle,
      stepCount: this.#stepCount,
      steps: this.#steps,
    };
    this.#session.close({ outcome: record.outcome, reward: record.reward, cost: record.cost });
    return record;
  }

  #take(syscall: Syscall, result: SyscallResult): void {
    if (this.#oracle !== null) this.#guard("kernel", () => this.#oracle?.observe(syscall, result));
    const shown = this.#guard("environment", () => objectOf(this.#environment?.step(result), "step()"));
    this.#shown = shown ?? nothingShown;
    this.#keep(syscall, result);
    this.#tell(result);
    if (this.#session.terminated === "SIGTERM") this.#end("stopped");
    if (this.done) return;
    if (this.#options.failOnViolation && result.violations.some((violation) => violation.blocked)) this.#end("stopped");
    else if (shown?.done === true || this.#stepCount >= this.#plan.environment.maxTurns) this.#end("completed");
  }

  #keep(syscall: Syscall, result: SyscallResult): void {
    const step = this.#stepCount++;
    this.#last = result;
    if (this.#plan.keepSteps !== false) this.#steps.push({ syscall, result, observation: this.observation });
    if (result.violations.length === 0) return;
    const statement = statementOf(syscall);
    for (const violation of result.violations) this.#found.push({ ...violation, step, statement });
  }

  /** What the environment makes of it; `null` where the episode did not complete or the score is no number. */
  #score(): Score | null {
    if (this.#outcome !== "completed") return null;
    const score = this.#guard("environment", () => {
      const given = this.#environment?.score();
      if (given !== undefined && Number.isFinite(given.reward)) return given;
      throw new Error(`score().reward must be a finite number, got ${given?.reward}`);
    });
    return score ?? null;
  }

  #tell(result: SyscallResult): void {
    try {
      this.#plan.onResult?.(result);
    } catch (error) {
      if (error instanceof PolicyViolationError) this.#end("stopped");
      else this.fail("agent", messageOf(error));
    }
  }

  #price(score: Score | null, violations: readonly Violation[]): Price {
    const mediated = this.#session.governed ? this.#session.counts.mediated.syscalls : 0;
    const priced = this.#guard("environment", () => {
      const price = this.#plan.reward.price(score, violations, { mediated });
      if (Number.isFinite(price.reward)) return price;
      throw new Error(`the base reward must be a finite number, got ${price.reward}`);
    });
    return priced ?? this.#plan.reward.price(null, violations);
  }

  /** What does not add up earns nothing. A failed episode stays one: it says more, and earns nothing either. */
  #reconcile(price: Price, found: readonly Violation[]): Price {
    const penalised = { syscalls: this.#stepCount, violations: price.penalties.length };
    const doubt = disagreement({ ...this.#session.counts, penalised });
    if (doubt === null || this.#outcome === "failed") return price;
    this.#outcome = "quarantined";
    this.#error = { boundary: "kernel", message: doubt };
    return this.#plan.reward.price(null, found);
  }

  #end(outcome: EpisodeOutcome): void {
    this.#outcome ??= outcome;
  }

  /** Runs what another party wrote; what it throws ends the episode and is put down to it. */
  #guard<T>(boundary: Boundary, run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      this.fail(boundary, messageOf(error));
      return undefined;
    }
  }
}

const nothingShown = { observation: "" };
/** Characters of an observation: no policy model reads as many. */
const observationMax = 2 ** 20;

/** User code may say anything. */
function checkedObservation(observation: unknown, source: string): string {
  if (typeof observation !== "string") {
    throw new Error(
      `${source} must give { observation: string }, got ${observation === null ? "null" : typeof observation}`,
    );
  }
  if (observation.length <= observationMax) return observation;
  throw new Error(
    `${source} must give an observation of at most ${observationMax} characters, got ${observation.length}`,
  );
}

function objectOf<T>(shown: T, source: string): T {
  if (typeof shown === "object" && shown !== null) return shown;
  throw new Error(`${source} must give { observation: string }, got ${shown === null ? "null" : typeof shown}`);
}

function startEnvironment(plan: EpisodePlan, session: KernelSession): EnvironmentEpisode {
  const started = plan.environment.start(plan.task as Task, { seed: plan.key.seed, world: session.world });
  if (started.drivers !== undefined) session.mount(started.drivers);
  return started;
}
