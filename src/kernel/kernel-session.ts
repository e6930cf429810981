import type { AgentSignal } from "../core/audit.ts";
import type { Driver, World } from "../core/env.ts";
import type { EpisodeKey } from "../core/episode.ts";
import type { Severity, Syscall, SyscallResult, Verdict, Violation } from "../core/syscall.ts";
import type { Seat } from "./compose.ts";
import type { SqlSession } from "./drivers/sql/sql-session.ts";
import type { SqlTrust } from "./drivers/sql/sql-trust.ts";
import type { EpisodeRecorder, FlightRecorder, RecordedEnd } from "./flight-recorder.ts";
import { type Answer, Mediation } from "./mediation.ts";
import { plainCopy } from "./plain-copy.ts";
import type { Call } from "./policy.ts";
import type { Resolver } from "./resolver.ts";
import { SessionDrivers } from "./session-drivers.ts";
import { denial, ranked, signalSent } from "./violation.ts";

interface SessionParts {
  readonly episode: EpisodeKey;
  readonly governed: boolean;
  readonly seats: readonly Seat[];
  readonly sql: SqlSession | undefined;
  readonly drivers: Readonly<Record<string, Driver>>;
  readonly recorder: FlightRecorder;
  /** Whether it is recorded, not only counted. */
  readonly recorded: boolean;
  /** Hash of the set of policies that judge. */
  readonly policies: string;
  readonly resolver: Resolver | undefined;
  /** What is sent to an episode that a violation of that severity was blocked in. */
  readonly signals: Readonly<{ [severity in Severity]?: AgentSignal | undefined }>;
  readonly onSyscall: ((name: string) => void) | null;
  /** Called once, when the session closes. */
  readonly closed: () => void;
}

/** How many syscalls were mediated, and how many violations they were answered with; and what was recorded of that. */
export interface SessionCounts {
  readonly mediated: { readonly syscalls: number; readonly violations: number };
  readonly recorded: { readonly syscalls: number; readonly violations: number };
}

/** A syscall that waits for its turn, and who waits for its answer. */
interface Waiting {
  readonly taken: Taken;
  readonly resolve: (result: SyscallResult | Promise<SyscallResult>) => void;
}

/** A syscall whose driver has not answered yet. */
interface Pending {
  readonly step: number;
  readonly resolve: (result: SyscallResult) => void;
}

/**
 * One episode's way through the kernel, on a database state of its own. Syscalls run one after the other, in the order in which
 * they are made: one that is made while another is pending, or while the episode is held, waits for its turn.
 */
export class KernelSession implements Disposable {
  readonly governed: boolean;
  /** Trusted looks at the resources, by name; never given to an agent. */
  readonly world: World;
  /** What the oracle needs of the database; `null` without one. It shares nothing with what judges. */
  readonly trust: SqlTrust | null;
  readonly #parts: SessionParts;
  readonly #record: EpisodeRecorder;
  readonly #waiting: Waiting[] = [];
  readonly #drivers: SessionDrivers;
  readonly #mediation: Mediation;
  /** Syscalls begun, and syscalls answered. */
  #begun = 0;
  #answered = 0;
  #violations = 0;
  #pending: Pending | null = null;
  #busy = false;
  #held = false;
  #ending: Ending | null = null;
  #terminated: Ending | null = null;
  #open = true;
  #lastSyscall = "";
  #killed: AbortController | undefined;

  constructor(parts: SessionParts) {
    const { episode, governed, seats, sql, resolver } = parts;
    this.#parts = parts;
    this.governed = governed;
    this.trust = sql?.trust ?? null;
    this.world = Object.freeze(sql === undefined ? {} : { sql: sql.world });
    const judges = seats.map(({ judge }) => judge);
    this.#drivers = new SessionDrivers({ sql, judges, world: this.world, mounted: parts.drivers });
    const killed = () => this.#ending === "SIGKILL";
    this.#mediation = new Mediation({ episode: episode.id, governed, seats, drivers: this.#drivers, resolver, killed });
    this.#record = parts.recorder.start(episode, parts.policies, { recorded: parts.recorded });
  }

  /** Adds drivers to this session, by name; a name that is taken is an error. */
  mount(drivers: Readonly<Record<string, Driver>>): void {
    this.#drivers.mount(drivers);
  }

  /** The signal that ended the episode, once it has: SIGKILL at once, SIGTERM with the first syscall that it denied. */
  get terminated(): Ending | null {
    return this.#terminated;
  }

  /** A signal that is aborted when the episode is killed. Made when it is first asked for: few agents ask. */
  abortedWhenKilled(): AbortSignal {
    this.#killed ??= new AbortController();
    if (this.#terminated === "SIGKILL") this.#killed.abort();
    return this.#killed.signal;
  }

  /** Name of the newest syscall, answered or not; empty before the first. */
  get lastSyscall(): string {
    return this.#lastSyscall;
  }

  /** Whether SIGSTOP holds its syscalls. */
  get held(): boolean {
    return this.#held;
  }

  /** Whether a driver, or a resolver, has not answered yet. */
  get awaiting(): boolean {
    return this.#pending !== null;
  }

  get counts(): SessionCounts {
    const { steps, violations } = this.#record.counts;
    return {
      mediated: { syscalls: this.#answered, violations: this.#violations },
      recorded: { syscalls: steps, violations },
    };
  }

  /**
   * Decides, records and performs one syscall. Never throws for what the agent did. A promise only where a driver gave one, or
   * where the syscall must wait: for one that is pending, or, while the episode is held, for the signal that ends that.
   */
  execute(syscall: Syscall): SyscallResult | Promise<SyscallResult> {
    if (!this.#open) throw new Error("KernelSession.execute: the session is closed");
    const taken = take(syscall);
    if (this.#isFree) return this.#run(taken);
    return new Promise((resolve) => this.#waiting.push({ taken, resolve }));
  }

  /**
   * Sends a signal to the episode and records it. SIGSTOP holds every later syscall until SIGCONT; SIGTERM denies the next and all
   * that follow; SIGKILL also answers at once what is pending, whose late result is dropped and, as every intent has one outcome,
   * not recorded.
   * @returns Whether it was delivered: not to a session that is closed or killed.
   */
  signal(signal: AgentSignal): boolean {
    if (!this.#open || this.#ending === "SIGKILL") return false;
    this.#record.signal(this.#begun, signal);
    this.#held = signal === "SIGSTOP" && this.#ending === null;
    if (signal === "SIGTERM" || signal === "SIGKILL") this.#ending = signal;
    if (signal === "SIGKILL") this.#kill();
    this.#release();
    return true;
  }

  /** Ends the session, once: its effects are gone, and the next session finds the database as it was at first. */
  close(end: RecordedEnd = { outcome: "closed", reward: 0, cost: 0 }): void {
    if (!this.#open) return;
    this.#held = false;
    this.#ending ??= "SIGTERM";
    this.#abandon();
    this.#release();
    this.#open = false;
    this.#parts.sql?.close();
    this.#record.end(end);
    this.#parts.closed();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get #isFree(): boolean {
    return !this.#held && !this.#busy && this.#pending === null && this.#waiting.length === 0;
  }

  #run({ syscall, args, fault }: Taken): SyscallResult | Promise<SyscallResult> {
    const step = this.#begun++;
    this.#lastSyscall = typeof syscall === "string" ? syscall : "";
    this.#parts.onSyscall?.(this.#lastSyscall);
    this.#record.intent(step, { syscall, args });
    if (this.#ending !== null) return this.#conclude(step, this.#end(this.#ending));
    const answer = this.#mediate({ syscall, args, step }, fault);
    if (answer instanceof Promise) return this.#await(step, answer);
    // A driver can bring the signal about that kills its own episode.
    const result = this.#conclude(step, this.#terminated === "SIGKILL" ? this.#end("SIGKILL") : answer);
    if (this.#waiting.length > 0) this.#release();
    return result;
  }

  #mediate(call: Call, fault: string | undefined): Answer | Promise<Answer> {
    this.#busy = true;
    try {
      return this.#mediation.mediate(call, fault);
    } finally {
      this.#busy = false;
    }
  }

  #await(step: number, answer: Promise<Answer>): Promise<SyscallResult> {
    return new Promise((resolve) => {
      const pending = { step, resolve };
      this.#pending = pending;
      answer.then((settled) => {
        if (this.#pending !== pending) return;
        this.#pending = null;
        resolve(this.#conclude(step, settled));
        this.#release();
      });
    });
  }

  /** Lets those go on that wait, as far as they may. */
  #release(): void {
    while (!this.#held && !this.#busy && this.#pending === null) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      next.resolve(this.#run(next.taken));
    }
  }

  #kill(): void {
    this.#terminated = "SIGKILL";
    this.#killed?.abort();
    this.#abandon();
  }

  /** Answers what is pending as the signal demands; what its driver answers later is dropped. */
  #abandon(): void {
    const pending = this.#pending;
    if (pending === null || this.#ending === null) return;
    this.#pending = null;
    pending.resolve(this.#conclude(pending.step, this.#end(this.#ending)));
  }

  #end(signal: Ending): Answer {
    this.#terminated ??= signal;
    return { outcome: "denied", violations: endings[signal] };
  }

  #conclude(step: number, answer: Answer): SyscallResult {
    const violations = ranked(answer.violations);
    const denied = answer.outcome === "denied";
    const error = denied ? denial(violations) : answer.error;
    const result: SyscallResult = {
      verdict: verdictOf(answer, violations),
      violations,
      outcome: answer.outcome,
      ...(answer.args === undefined ? {} : { args: answer.args }),
      ...(answer.result === undefined ? {} : { result: answer.result }),
      ...(error === undefined ? {} : { error }),
    };
    this.#record.outcome(step, result);
    this.#answered++;
    this.#violations += violations.length;
    if (this.governed && violations.length > 0) this.#punish(violations);
    return result;
  }

  /** Sends the signal that the config has for the gravest violation that was blocked. */
  #punish(violations: readonly Violation[]): void {
    const signals = violations.map(({ severity, type }) =>
      type === "BLOCKED" ? this.#parts.signals[severity] : undefined,
    );
    const signal = signals.find((each) => each !== undefined);
    if (signal !== undefined && this.#ending === null) this.signal(signal);
  }
}

/** Signals that end an episode. */
type Ending = "SIGTERM" | "SIGKILL";

const endings: Readonly<Record<Ending, readonly Violation[]>> = {
  SIGTERM: [signalSent("SIGTERM", "the episode was ended by SIGTERM")],
  SIGKILL: [signalSent("SIGKILL", "the episode was killed by SIGKILL; what was pending may have had its effect")],
};

/** A syscall as it was taken from the agent: read once, copied, and nobody else's. */
interface Taken extends Syscall {
  /** What is wrong with it, where it is no syscall. */
  readonly fault?: string;
}

const shape = "a syscall is { syscall: string, args: object }";

/** Agents may send anything, and change it afterwards: every property is read once. */
function take(given: unknown): Taken {
  try {
    const { syscall, args } = given as { readonly syscall: unknown; readonly args: unknown };
    const { value, fault } = plainCopy(args);
    const name = typeof syscall === "string" ? syscall : plainCopy(syscall).value;
    const taken = { syscall: name, args: value } as Syscall;
    if (fault !== undefined) return { ...taken, fault: `${shape}, the arguments plain data, but in them ${fault}` };
    const fits = typeof name === "string" && typeof value === "object" && value !== null && !Array.isArray(value);
    return fits ? taken : { ...taken, fault: shape };
  } catch {
    return { ...({} as Syscall), fault: shape };
  }
}

function verdictOf({ outcome, escalated }: Answer, violations: readonly Violation[]): Verdict {
  if (outcome === "denied") return escalated === true ? "escalate" : "deny";
  if (violations.length === 0) return "allow";
  return violations.some(({ type }) => type === "MODIFIED") ? "transform" : "warn";
}
