import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../../src/core/logger.ts";
import type {
  ExecutableKernel,
  ExecuteContext,
  SignalHandler,
  ViolationHandler,
} from "../../src/runner/governed-kernel.ts";
import type { ReportedViolation } from "../../src/runner/reported-violation.ts";

/** What an action on a small kernel does. */
export interface Action {
  readonly violations?: readonly ReportedViolation[];
  readonly signals?: readonly string[];
  readonly returns?: unknown;
  readonly throws?: unknown;
  /** Event-loop turns between any two reports. */
  readonly turns?: number;
  /** What the kernel says that it mediated. */
  readonly attests?: { readonly syscalls: number; readonly violations: number };
}

export const critical = { policy: "sql", description: "DROP is denied", severity: "critical", blocked: true };
export const warned = { policy: "content", description: "an address", severity: "low", blocked: false };

/** Tells violations to handlers, at once. */
export class PushKernel implements ExecutableKernel {
  readonly handlers: ViolationHandler[] = [];
  readonly signalHandlers: SignalHandler[] = [];
  readonly contexts: ExecuteContext[] = [];
  readonly policies = [{ name: "sql" }, { name: "content" }];
  resets = 0;

  async executeAsync(input: unknown, context: ExecuteContext): Promise<unknown> {
    this.contexts.push(context);
    const { violations = [], signals = [], turns = 0, ...action } = input as Action;
    for (const reported of violations) {
      for (let turn = 0; turn < turns; turn++) await (turn % 2 === 0 ? sleep(0) : Promise.resolve());
      for (const handler of this.handlers) handler(reported);
    }
    for (const signal of signals) for (const handler of this.signalHandlers) handler(signal);
    if (action.attests !== undefined) context.attest(action.attests);
    if (action.throws !== undefined) throw action.throws;
    return action.returns ?? "done";
  }

  onPolicyViolation(handler: ViolationHandler): () => void {
    this.handlers.push(handler);
    return () => this.handlers.splice(this.handlers.indexOf(handler), 1);
  }

  onSignal(handler: SignalHandler): void {
    this.signalHandlers.push(handler);
  }

  reset(): void {
    this.resets++;
  }
}

/** Tells violations when it is asked. */
export class PolledKernel implements ExecutableKernel {
  recent: ReportedViolation[] = [];
  broken = false;

  execute(input: unknown): unknown {
    const action = input as Action;
    this.recent.push(...(action.violations ?? []));
    if (action.throws !== undefined) throw action.throws;
    return action.returns ?? "done";
  }

  getRecentViolations(): readonly ReportedViolation[] {
    if (this.broken) throw new Error("the log is gone");
    return this.recent.splice(0);
  }
}

/** Keeps what is logged. */
export class MemoryLogger implements Logger {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: unknown }[] = [];

  debug(message: string, fields?: unknown): void {
    this.lines.push({ level: "debug", message, fields });
  }

  info(message: string, fields?: unknown): void {
    this.lines.push({ level: "info", message, fields });
  }

  warning(message: string, fields?: unknown): void {
    this.lines.push({ level: "warning", message, fields });
  }

  error(message: string, fields?: unknown): void {
    this.lines.push({ level: "error", message, fields });
  }
}
