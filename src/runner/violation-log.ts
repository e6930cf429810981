import { AsyncLocalStorage } from "node:async_hooks";
import { messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { isPenalised } from "../core/syscall.ts";
import { type PolicyViolation, PolicyViolationError } from "./policy-violation.ts";
import { type ReportDetails, readReport } from "./reported-violation.ts";

/** The step that the running code is part of, whichever runner's it is. */
const current = new AsyncLocalStorage<StepContext>();

/** What belongs to one step alone. */
export class StepContext {
  readonly owner: ViolationLog;
  readonly violations: PolicyViolation[] = [];
  readonly signals: string[] = [];
  /** The kernel's word of what it mediated, summed over its calls; `null` without one. */
  attested: { readonly syscalls: number; readonly violations: number } | null = null;
  /** What was thrown inside the action, which may have swallowed it. */
  stopped: PolicyViolationError | null = null;
  /** Why its violations are not known for certain; `null` where they are. */
  doubt: string | null = null;
  open = true;
  /** The step that this one is part of, where an action takes steps itself. */
  readonly parent: StepContext | undefined = current.getStore();

  constructor(owner: ViolationLog) {
    this.owner = owner;
  }
}

export interface ViolationLogOptions {
  /** Runners that share a kernel hear each other's reports. */
  readonly kernel: unknown;
  readonly failOnViolation: boolean;
  readonly logViolations: boolean;
  readonly violationCallback: ((violation: PolicyViolation) => unknown) | null;
  readonly logger: Logger;
}

/** How many violations and signals without a step are kept; the counts go on. */
const strayMax = 1_000;

/** Attributes violations and signals to the steps of one runner, however these interleave. */
export class ViolationLog {
  /** Those that came outside every step: the newest. */
  readonly strayViolations: PolicyViolation[] = [];
  readonly straySignals: string[] = [];
  readonly #options: ViolationLogOptions;
  readonly #open = new Set<StepContext>();
  #total = 0;

  constructor(options: ViolationLogOptions) {
    this.#options = options;
  }

  /** Violations that cost something, in steps and outside. */
  get total(): number {
    return this.#total;
  }

  /** Steps under way. */
  get open(): ReadonlySet<StepContext> {
    return this.#open;
  }

  /** Runs one step: what it reports, in whatever it awaits, goes to `context`, until it settles. */
  async run<T>(context: StepContext, action: () => Promise<T>): Promise<T> {
    this.#open.add(context);
    try {
      return await current.run(context, action);
    } finally {
      context.open = false;
      this.#open.delete(context);
    }
  }

  /** Takes a report from a kernel's hook. */
  readonly report = (reported: unknown, ...details: ReportDetails): void => {
    this.take(readReport(reported, details, "medium"));
  };

  /** The order is part of the contract: keep, count, log, call back, throw. */
  take(violation: PolicyViolation): void {
    const context = this.#context();
    if (context === "another") return;
    const target = context?.open === true ? context : null;
    if (target === null) this.#keepStray(this.strayViolations, violation, context);
    else target.violations.push(violation);
    if (isPenalised(violation)) this.#total++;
    if (this.#options.logViolations) this.#logViolation(violation);
    this.#callBack(violation);
    if (!this.#options.failOnViolation || !violation.actionBlocked) return;
    const error = new PolicyViolationError(violation);
    if (target !== null) target.stopped ??= error;
    throw error;
  }

  readonly signal = (signal: string): void => {
    const context = this.#context();
    if (context === "another") return;
    if (context?.open === true) context.signals.push(signal);
    else this.#keepStray(this.straySignals, signal, context);
  };

  /** This runner's step that the running code is part of; `another` for that of a runner which hears the same reports. */
  #context(): StepContext | undefined | "another" {
    const innermost = current.getStore();
    for (let context = innermost; context !== undefined; context = context.parent) {
      if (context.owner === this) return context;
    }
    const shared = innermost !== undefined && innermost.owner.#options.kernel === this.#options.kernel;
    return shared ? "another" : undefined;
  }

  /** What comes without a context while steps are under way may be any one's: none of them is known to be clean. */
  #keepStray<T>(list: T[], item: T, context: StepContext | undefined): void {
    list.push(item);
    if (list.length > strayMax) list.shift();
    if (context !== undefined || typeof item === "string") return;
    for (const open of this.#open) open.doubt ??= "a violation was reported that belongs to no step in particular";
  }

  #logViolation({ policyName, description, severity, actionBlocked }: PolicyViolation): void {
    const fields = { policy: policyName, description, severity, blocked: actionBlocked };
    this.#options.logger.warning("policy violation", fields);
  }

  #callBack(violation: PolicyViolation): void {
    try {
      this.#options.violationCallback?.(violation);
    } catch (error) {
      this.#options.logger.error("violationCallback threw", { error: messageOf(error) });
    }
  }
}
