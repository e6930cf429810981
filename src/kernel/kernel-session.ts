import type { Driver, World } from "../core/env.ts";
import type { EpisodeKey } from "../core/episode.ts";
import { messageOf } from "../core/errors.ts";
import type { Syscall, SyscallResult, Violation } from "../core/syscall.ts";
import type { SqlSession } from "./drivers/sql/sql-session.ts";
import type { SqlTrust } from "./drivers/sql/sql-trust.ts";
import type { EpisodeRecorder, FlightRecorder, RecordedEnd } from "./flight-recorder.ts";
import type { Judge } from "./policy.ts";
import { denial, noViolations, ranked, violation } from "./violation.ts";

/** What a driver answers; violations are what it found while it ran. */
export type Answer = Pick<SyscallResult, "outcome" | "result" | "error"> & {
  readonly violations: readonly Violation[];
};

interface SessionParts {
  readonly episode: EpisodeKey;
  readonly governed: boolean;
  readonly judges: readonly Judge[];
  readonly sql: SqlSession | undefined;
  readonly drivers: Readonly<Record<string, Driver>>;
  readonly recorder: FlightRecorder;
  /** Hash of the set of policies that judge. */
  readonly policies: string;
}

/** One episode's way through the kernel, on a database state of its own. Syscalls are made one after the other. */
export class KernelSession implements Disposable {
  readonly governed: boolean;
  /** Trusted looks at the resources, by name; never given to an agent. */
  readonly world: World;
  /** What the oracle needs of the database; `null` without one. It shares nothing with what judges. */
  readonly trust: SqlTrust | null;
  readonly #parts: SessionParts;
  readonly #record: EpisodeRecorder;
  #drivers: Readonly<Record<string, Driver>>;
  #step = 0;
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

  /** Decides, records and performs one syscall. Never throws for what the agent did; a promise only where a driver gave one. */
  execute(syscall: Syscall): SyscallResult | Promise<SyscallResult> {
    if (!this.#open) throw new Error("KernelSession.execute: the session is closed");
    const step = this.#step++;
    this.#record.intent(step, syscall);
    const answer = this.#perform(syscall);
    if (answer instanceof Promise) return answer.then((settled) => this.#conclude(step, settled));
    return this.#conclude(step, answer);
  }

  /** Ends the session, once: its effects are gone, and the next session finds the database as it was at first. */
  close(end: RecordedEnd = { outcome: "closed", reward: 0, cost: 0 }): void {
    if (!this.#open) return;
    this.#open = false;
    this.#parts.sql?.close();
    this.#record.end(end);
  }

  [Symbol.dispose](): void {
    this.close();
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
    return result;
  }
}

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
