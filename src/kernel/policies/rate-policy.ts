import { z } from "zod";
import { parseOptions } from "../parse-options.ts";
import { type Call, type Finding, type Judge, noFindings, type Policy, type Reply } from "../policy.ts";
import { policyMode, severity, syscallPatterns } from "./policy-fields.ts";
import { compilePatterns, type SyscallPattern } from "./syscall-pattern.ts";

export const ratePolicyOptions = z.strictObject({
  limits: z
    .array(
      z.strictObject({
        syscall: syscallPatterns.default("*").describe("Which syscalls: a name, a prefix such as sql.*, or *"),
        max: z.int().min(0).describe("How many of them may run"),
        window: z.int().min(1).describe("In how many ticks; every syscall of the episode is one"),
        severity: severity.default("medium").describe("Severity of one too many"),
      }),
    )
    .min(1)
    .describe("Each holds on its own"),
  mode: policyMode,
});
export type RatePolicyOptions = z.input<typeof ratePolicyOptions>;

interface Limit {
  readonly patterns: readonly SyscallPattern[];
  readonly max: number;
  readonly window: number;
  readonly finding: Finding;
}

/** Bounds how fast an episode acts, on its logical clock: the number of its syscalls so far. */
export class RatePolicy implements Policy {
  readonly name = "rate";
  readonly spec: Policy["spec"];
  readonly #limits: readonly Limit[];

  constructor(options: RatePolicyOptions) {
    const parsed = parseOptions(ratePolicyOptions, options, "RatePolicy");
    this.spec = Object.freeze({ type: "rate", ...parsed });
    this.#limits = parsed.limits.map(({ syscall, max, window, severity: grave }) => ({
      patterns: compilePatterns(syscall),
      max,
      window,
      finding: Object.freeze({
        decision: "deny",
        rule: `${[syscall].flat().join(", ")} ${max} in ${window}`,
        severity: grave,
        description: `at most ${max} of ${[syscall].flat().join(", ")} may run in ${window} syscalls`,
      }),
    }));
    Object.freeze(this);
  }

  judge(): Judge {
    const ran = this.#limits.map((limit) => ({ limit, steps: [] as number[] }));
    return {
      before: (call) => {
        const full = ran.filter(({ limit, steps }) => about(limit, call) && recent(steps, limit, call) >= limit.max);
        return full.length === 0 ? noFindings : full.map(({ limit }) => limit.finding);
      },
      settled: (call: Call, { ran: performed = false }: Reply) => {
        if (performed) for (const { limit, steps } of ran) if (about(limit, call)) keep(steps, limit, call);
        return noFindings;
      },
    };
  }
}

function about({ patterns }: Limit, { syscall }: Call): boolean {
  return patterns.some((pattern) => pattern.matches(syscall));
}

function recent(steps: readonly number[], { window }: Limit, { step }: Call): number {
  return steps.filter((each) => each > step - window).length;
}

/** Keeps what can still count; never more than the limit and one. */
function keep(steps: number[], { window }: Limit, { step }: Call): void {
  while (steps.length > 0 && (steps[0] as number) <= step - window) steps.shift();
  steps.push(step);
}
