import type { AgentSignal } from "../core/audit.ts";
import type { Driver, World } from "../core/env.ts";
import type { EpisodeKey } from "../core/episode.ts";
import { messageOf } from "../core/errors.ts";
import type { Syscall, SyscallResult, Violation } from "../core/syscall.ts";
import type { SqlSession } from "./drivers/sql/sql-session.ts";
import type { SqlTrust } from "./drivers/sql/sql-trust.ts";
import type { EpisodeRecorder, FlightRecorder, RecordedEnd } from "./flight-recorder.ts";
import type { Judge } from "./policy.ts";
import { denial, noViolations, ranked, signalSent, violation } from "./violation.ts";

/** What a driver answers; violations are what it found while it ran. */
export type Answer = Pick<SyscallResult, "outcome" | "result" | "error"> & {
  readonly violations: readonly Violation[];
  readonly usage?: Usage;
};

/** What a syscall used besides itself, as its driver counts it; all of it logical, so that runs repeat exactly. */
export interface Usage {
  /** Steps of an engine, such as SQLite's virtual machine. */
  readonly steps?: number;
  readonly tokens?: number;
  /** Cost in US dollars. */
  readonly usd?: number;
}

interface SessionParts {
  readonly episode: EpisodeKey;
  readonly governed: boolean;
  readonly judges: readonly Judge[];
  readonly sql: SqlSession | undefined;
  readonly drivers: Readonly<Record<string, Driver>>;
  readonly recorder: FlightRecorder;
  /** Hash of the set of policies that judge. */
  readonly policies: string;
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
  readonly syscall: Syscall;
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
  #drivers: Readonly<Record<string, Driver>>;
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

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#drivers = parts.drivers;
    this.governed = parts.governed;
    this.trust = parts.sql?.trust ?? null;
    this.world = Object.freeze(parts.sql === undefined ? {} : { sql: parts.sql.world });
    this.#record = parts.recorder.start(parts.episode, parts.policies);
  }

  /** Adds drivers to this session, by name; a name that is taken is an error. */
  mount(drivers: Readonly<Record<string, Driver>>): void {
    const taken = Object.keys(drivers).find((name) => name in this.world || Object.hasOwn(this.#drivers, name));
    if (taken !== undefined) throw new Error(`driver ${taken} is mounted already`);
    this.#drivers = { ...this.#drivers, ...drivers };
  }

  /** The signal that ended the episode, once it has: SIGKILL at once, SIGTERM with the first syscall that it denied. */
  get terminated(): Ending | null {
    return this.#terminated;
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
    if (!this.#isFree) return new Promise((resolve) => this.#waiting.push({ syscall, resolve }));
    return this.#run(syscall);
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

  #run(syscall: Syscall): SyscallResult | Promise<SyscallResult> {
    const step = this.#begun++;
    this.#record.intent(step, syscall);
    if (this.#ending !== null) return this.#conclude(step, this.#end(this.#ending));
    this.#busy = true;
    const answer = this.#perform(syscall);
    this.#busy = false;
    if (answer instanceof Promise) return this.#await(step, answer);
    const result = this.#conclude(step, answer);
    if (this.#waiting.length > 0) this.#release();
    return result;
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
      next.resolve(this.#run(next.syscall));
    }
  }

  #kill(): void {
    this.#terminated = "SIGKILL";
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

  #perform(syscall: Syscall): Answer | Promise<Answer> {
    const call = wellFormed(syscall);
    if (call === null) return this.#refuse("bad-arguments", "a syscall is { syscall: string, args: object }");
    const before = this.#before(call);
    if (before.length > 0) return { outcome: "denied", violations: before };
    const driver = Object.hasOwn(this.#drivers, call.driver) ? this.#drivers[call.driver] : undefined;
    if (driver !== undefined) return this.#performCustom(driver, call);
    const sql = this.#parts.sql;
    if (sql !== undefined && call.driver === "sql" && call.operation === "query")
      return this.#performSql(sql, call.args);
    return this.#refuse("unknown-syscall", `there is no syscall ${printable(call.syscall)}`);
  }

  #before(syscall: Syscall): readonly Violation[] {
    let found = noViolations;
    for (const judge of this.#parts.judges) {
      const broken = judge.before?.(syscall) ?? noViolations;
      if (broken.length > 0) found = found.length === 0 ? broken : [...found, ...broken];
    }
    return found;
  }

  #performSql(sql: SqlSession, args: Syscall["args"]): Answer {
    if (typeof args.sql !== "string" || Object.keys(args).length !== 1)
      return this.#refuse("bad-arguments", "sql.query takes { sql: string }");
    return sql.query(args.sql, this.#parts.judges);
  }

  #performCustom(driver: Driver, call: WellFormed): Answer | Promise<Answer> {
    const operation = Object.hasOwn(driver.operations, call.operation) ? driver.operations[call.operation] : undefined;
    if (operation === undefined)
      return this.#refuse("unknown-syscall", `there is no syscall ${printable(call.syscall)}`);
    try {
      const result = operation(call.args);
      return isThenable(result) ? Promise.resolve(result).then(completed, failed) : completed(result);
    } catch (error) {
      return failed(error);
    }
  }

  #refuse(rule: string, description: string): Answer {
    if (!this.governed) return { outcome: "failed", error: description, violations: noViolations };
    return { outcome: "denied", violations: [violation({ policy: "kernel", rule, severity: "medium", description })] };
  }

  #conclude(step: number, answer: Answer): SyscallResult {
    const violations = ranked(answer.violations);
    const denied = answer.outcome === "denied";
    const error = denied ? denial(violations) : answer.error;
    const result: SyscallResult = {
      verdict: denied ? "deny" : violations.length > 0 ? "warn" : "allow",
      violations,
      outcome: answer.outcome,
      ...(answer.result === undefined ? {} : { result: answer.result }),
      ...(error === undefined ? {} : { error }),
    };
    this.#record.outcome(step, result);
    this.#answered++;
    this.#violations += violations.length;
    return result;
  }
}

/** Signals that end an episode. */
type Ending = "SIGTERM" | "SIGKILL";

const endings: Readonly<Record<Ending, readonly Violation[]>> = {
  SIGTERM: [signalSent("SIGTERM", "the episode was ended by SIGTERM")],
  SIGKILL: [signalSent("SIGKILL", "the episode was killed by SIGKILL; what was pending may have had its effect")],
};

interface WellFormed extends Syscall {
  readonly driver: string;
  readonly operation: string;
}

/** The syscall with its name taken apart at the first dot, or `null`: agents may send anything. */
function wellFormed(syscall: unknown): WellFormed | null {
  if (typeof syscall !== "object" || syscall === null) return null;
  const { syscall: name, args } = syscall as { syscall?: unknown; args?: unknown };
  if (typeof name !== "string" || typeof args !== "object" || args === null || Array.isArray(args)) return null;
  const dot = name.indexOf(".");
  return {
    syscall: name,
    args: args as Syscall["args"],
    driver: dot < 0 ? name : name.slice(0, dot),
    operation: dot < 0 ? "" : name.slice(dot + 1),
  };
}

function completed(result: unknown): Answer {
  return { outcome: "completed", violations: noViolations, ...(result === undefined ? {} : { result }) };
}

function failed(error: unknown): Answer {
  return { outcome: "failed", violations: noViolations, error: messageOf(error) };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function printable(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}
