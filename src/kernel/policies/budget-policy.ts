import { z } from "zod";
import { severities, type Violation } from "../../core/syscall.ts";
import { parseOptions } from "../parse-options.ts";
import type { Judge, Policy } from "../policy.ts";
import { noViolations, violation } from "../violation.ts";

export const budgetPolicyOptions = z.strictObject({
  syscalls: z.int().min(1).optional().describe("Syscalls that one episode may make; without it, any number"),
  severity: z.enum(severities).default("medium").describe("Severity of a syscall too many"),
});
export type BudgetPolicyOptions = z.input<typeof budgetPolicyOptions>;

/** Bounds what one episode may use. Its counters are logical, so that runs repeat exactly. */
export class BudgetPolicy implements Policy {
  readonly name = "budget";
  readonly spec: Policy["spec"];
  readonly #syscalls: number;
  readonly #exceeded: readonly Violation[];

  constructor(options: BudgetPolicyOptions = {}) {
    const parsed = parseOptions(budgetPolicyOptions, options, "BudgetPolicy");
    this.spec = Object.freeze({ type: "budget", ...parsed });
    this.#syscalls = parsed.syscalls ?? Number.POSITIVE_INFINITY;
    this.#exceeded = Object.freeze([
      violation({
        policy: this.name,
        rule: "syscalls",
        severity: parsed.severity,
        description: `the episode's ${this.#syscalls} syscalls are used up`,
      }),
    ]);
    Object.freeze(this);
  }

  judge(): Judge {
    let used = 0;
    return { before: () => (++used > this.#syscalls ? this.#exceeded : noViolations) };
  }
}
