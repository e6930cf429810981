import type { Driver, World } from "../core/env.ts";
import { messageOf } from "../core/errors.ts";
import type { Syscall, Violation } from "../core/syscall.ts";
import type { SqlSession } from "./drivers/sql/sql-session.ts";
import { Metered } from "./metered.ts";
import { plainCopy } from "./plain-copy.ts";
import type { Call, Judge, Reply } from "./policy.ts";
import { ToolSet } from "./tool-set.ts";
import { noViolations } from "./violation.ts";

/** What a driver answers; violations are what it found while it ran. */
export type DriverReply = Reply & { readonly violations: readonly Violation[] };

/** Why a syscall cannot be performed. */
export interface Refusal {
  readonly rule: "unknown-syscall" | "bad-arguments";
  readonly description: string;
}

/** How a syscall is performed, with the arguments that it will be given. */
export interface Target {
  readonly args: Syscall["args"];
  perform(): DriverReply | Promise<DriverReply>;
}

/** The drivers of one session, by name: those that were mounted, and `sql`. */
export class SessionDrivers {
  readonly #sql: SqlSession | undefined;
  readonly #judges: readonly Judge[];
  readonly #world: World;
  #mounted: Readonly<Record<string, Driver>>;
  /** The newest syscall of a mounted driver, and what performs it: the next is often the same. */
  #known: { readonly syscall: string; readonly run: Operation } | null = null;

  constructor(parts: {
    readonly sql: SqlSession | undefined;
    readonly judges: readonly Judge[];
    readonly world: World;
    readonly mounted: Readonly<Record<string, Driver>>;
  }) {
    this.#sql = parts.sql;
    this.#judges = parts.judges;
    this.#world = parts.world;
    this.#mounted = parts.mounted;
  }

  mount(drivers: Readonly<Record<string, Driver>>): void {
    const taken = Object.keys(drivers).find((name) => name in this.#world || Object.hasOwn(this.#mounted, name));
    if (taken !== undefined) throw new Error(`driver ${taken} is mounted already`);
    this.#mounted = { ...this.#mounted, ...drivers };
    this.#known = null;
  }

  /** Finds what performs a syscall, with its arguments as they will be given to it. */
  find({ syscall, args }: Syscall): Target | Refusal {
    const known = this.#known;
    if (known !== null && known.syscall === syscall) return new OperationTarget(syscall, known.run, args);
    const dot = syscall.indexOf(".");
    const name = dot < 0 ? syscall : syscall.slice(0, dot);
    const operation = dot < 0 ? "" : syscall.slice(dot + 1);
    const driver = Object.hasOwn(this.#mounted, name) ? this.#mounted[name] : undefined;
    if (driver !== undefined) return this.#mountedTarget(driver, { syscall, operation, args });
    if (this.#sql !== undefined && name === "sql" && operation === "query") return this.#sqlTarget(this.#sql, args);
    return unknown(syscall);
  }

  #mountedTarget(
    driver: Driver,
    { syscall, operation, args }: Syscall & { readonly operation: string },
  ): Target | Refusal {
    const run = Object.hasOwn(driver.operations, operation) ? driver.operations[operation] : undefined;
    if (run === undefined) return unknown(syscall);
    const given = driver instanceof ToolSet ? parsed(driver, { operation, args }) : args;
    if (typeof given === "string") return { rule: "bad-arguments", description: `${syscall}: ${given}` };
    if (!(driver instanceof ToolSet)) this.#known = { syscall, run };
    return new OperationTarget(syscall, run, given);
  }

  #sqlTarget(session: SqlSession, args: Syscall["args"]): Target | Refusal {
    const { sql } = args;
    if (typeof sql === "string" && Object.keys(args).length === 1)
      return { args, perform: () => session.query(sql, this.#judges) };
    return { rule: "bad-arguments", description: "sql.query takes { sql: string }" };
  }
}

type Operation = Driver["operations"][string];

/** An operation with its arguments. */
class OperationTarget implements Target {
  readonly args: Syscall["args"];
  readonly #syscall: string;
  readonly #run: Operation;

  constructor(syscall: string, run: Operation, args: Syscall["args"]) {
    this.#syscall = syscall;
    this.#run = run;
    this.args = args;
  }

  perform(): DriverReply | Promise<DriverReply> {
    const syscall = this.#syscall;
    try {
      const result = this.#run.call(undefined, this.args);
      return isThenable(result)
        ? Promise.resolve(result).then((value) => completed(syscall, value), failed)
        : completed(syscall, result);
    } catch (error) {
      return failed(error);
    }
  }
}

const faultsMax = 4;

/** The arguments as a tool's schema makes them, or what is wrong with them. */
function parsed(tools: ToolSet, { operation, args }: Pick<Call, "args"> & { readonly operation: string }) {
  try {
    const schema = tools.schemas.get(operation);
    const result = schema?.safeParse(args);
    if (result === undefined) return "it has no schema";
    if (!result.success) {
      const { issues } = result.error;
      return issues
        .slice(0, faultsMax)
        .map(({ message, path }) => `${["args", ...path].map(String).join(".")}: ${message}`)
        .join("; ");
    }
    const { value, fault } = plainCopy(result.data);
    if (fault !== undefined) return `its schema must give plain data, but ${fault}`;
    return isObject(value) ? value : "its schema must give an object";
  } catch (error) {
    return `the arguments could not be checked: ${messageOf(error)}`;
  }
}

function completed(syscall: string, returned: unknown): DriverReply {
  if (typeof returned === "number" || typeof returned === "string" || typeof returned === "boolean")
    return { outcome: "completed", violations: noViolations, result: returned };
  const usage = returned instanceof Metered ? { usage: returned.usage } : {};
  const given = returned instanceof Metered ? returned.result : returned;
  const { value, fault } = plainCopy(given);
  if (fault !== undefined)
    return { ...failed(new Error(`${syscall} must return plain data, but of its result, ${fault}`)), ...usage };
  return {
    outcome: "completed",
    violations: noViolations,
    ...usage,
    ...(value === undefined ? {} : { result: value }),
  };
}

function failed(error: unknown): DriverReply {
  return { outcome: "failed", violations: noViolations, error: printed(error) };
}

/** What was thrown, in words: its own message may be hostile, too. */
function printed(error: unknown): string {
  try {
    return String(messageOf(error));
  } catch {
    return "something that cannot be printed was thrown";
  }
}

function unknown(syscall: string): Refusal {
  const name = syscall.length > 100 ? `${syscall.slice(0, 100)}…` : syscall;
  return { rule: "unknown-syscall", description: `there is no syscall ${JSON.stringify(name)}` };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
