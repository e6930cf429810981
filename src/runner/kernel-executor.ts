import { messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { ActionExecutor, ActionResult } from "./action-executor.ts";
import type { ExecutableKernel } from "./governed-kernel.ts";
import { type PolicyViolation, PolicyViolationError } from "./policy-violation.ts";
import { readReport, unreadable, withThrown } from "./reported-violation.ts";

type Attempt = Pick<ActionResult, "success" | "result" | "error"> & { readonly thrown?: PolicyViolation };

/** Actions on a kernel that executes what it is given, and pushes violations or is polled for them. */
export class KernelExecutor implements ActionExecutor {
  readonly #kernel: ExecutableKernel;
  readonly #logger: Logger;
  readonly #pushed: boolean;
  readonly #unregister: unknown;
  /** What was reported and not yet charged: also what came late, after the action that it belongs to. */
  readonly #violations: PolicyViolation[] = [];

  constructor(kernel: ExecutableKernel, logger: Logger) {
    this.#kernel = kernel;
    this.#logger = logger;
    this.#pushed = typeof kernel.onPolicyViolation === "function";
    this.#unregister = kernel.onPolicyViolation?.((reported, ...details) => {
      this.#violations.push(readReport(reported, details, "low"));
    });
  }

  async reset({ resetKernel }: { readonly resetKernel: boolean }): Promise<undefined> {
    const late = this.#violations.splice(0).length;
    if (late > 0) this.#logger.warning("violations came after the last step of an episode", { count: late });
    if (resetKernel) await this.#kernel.reset?.();
  }

  async execute(action: unknown): Promise<ActionResult> {
    const answer = await this.#attempt(action);
    const doubt = this.#pushed ? null : this.#poll();
    const violations = withThrown(this.#violations.splice(0), answer.thrown);
    const success = answer.success && doubt === null && !violations.some(({ actionBlocked }) => actionBlocked);
    return {
      success,
      result: success ? answer.result : null,
      error: answer.error,
      violations,
      doubt,
      done: doubt !== null,
    };
  }

  close(): void {
    if (typeof this.#unregister === "function") this.#unregister();
  }

  async #attempt(action: unknown): Promise<Attempt> {
    const { signal } = new AbortController();
    const context = { agent: null, resources: null, mode: "train", signal, attest() {} } as const;
    try {
      const kernel = this.#kernel;
      const answer =
        kernel.execute === undefined ? kernel.executeAsync?.(action, context) : kernel.execute(action, context);
      return { success: true, result: (await answer) ?? null, error: null };
    } catch (error) {
      return { success: false, result: null, error: messageOf(error), ...thrown(error) };
    }
  }

  /** A log that cannot be read never means that there were no violations: it stands for the worst. */
  #poll(): string | null {
    try {
      for (const reported of this.#kernel.getRecentViolations?.() ?? []) {
        this.#violations.push(readReport(reported, [], "low"));
      }
      return null;
    } catch (error) {
      const doubt = "the violations of the step cannot be read";
      this.#logger.warning("a step is quarantined: its violations cannot be read", { error: messageOf(error) });
      this.#violations.push(unreadable(doubt));
      return doubt;
    }
  }
}

function thrown(error: unknown): { readonly thrown?: PolicyViolation } {
  return error instanceof PolicyViolationError ? { thrown: error.violation } : {};
}
