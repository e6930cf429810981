import { z } from "zod";
import { parseOptions } from "../parse-options.ts";
import { type Call, type Finding, type Judge, noFindings, type Policy, type Reply } from "../policy.ts";
import { policyMode, severity, syscallPattern } from "./policy-fields.ts";
import { compilePattern } from "./syscall-pattern.ts";
import { sizeOf } from "./value-size.ts";

const count = z.int().min(0).optional();
const amount = z.number().min(0);

export const budgetPolicyOptions = z.strictObject({
  syscalls: z
    .int()
    .min(1)
    .optional()
    .describe("Syscalls that one episode may make, denied ones included; without it, any number"),
  steps: count.describe("Steps of SQLite's virtual machine that one episode may take"),
  bytes: count.describe("Bytes of arguments and results together, about as JSON has them"),
  tokens: count.describe("Tokens that its syscalls may use, as drivers report them and prices say"),
  usd: amount.optional().describe("US dollars that its syscalls may cost, as drivers report them and prices say"),
  prices: z
    .record(
      syscallPattern,
      z.strictObject({
        tokens: z.int().min(0).default(0).describe("Tokens of one call"),
        usd: amount.default(0).describe("US dollars of one call"),
      }),
    )
    .default({})
    .describe("What one call costs besides what its driver reports, by syscall or pattern; the most specific holds"),
  severity: severity.default("medium").describe("Severity of going beyond"),
  mode: policyMode,
});
export type BudgetPolicyOptions = z.input<typeof budgetPolicyOptions>;
type Settings = z.output<typeof budgetPolicyOptions>;

const kinds = ["syscalls", "steps", "bytes", "tokens", "usd"] as const;
type Kind = (typeof kinds)[number];
type Amounts = Readonly<Record<Kind, number>>;

/** Money is counted in whole billionths, so that sums are exact. */
const nanos = 1_000_000_000;

/** Bounds what one episode may use. Its counters are logical, so that runs repeat exactly. */
export class BudgetPolicy implements Policy {
  readonly name = "budget";
  readonly spec: Policy["spec"];
  readonly #limits: readonly (readonly [Kind, number])[];
  readonly #findings: Readonly<Record<Kind, Finding>>;
  readonly #price: (syscall: string) => Pick<Amounts, "tokens" | "usd">;

  constructor(options: BudgetPolicyOptions = {}) {
    const parsed = parseOptions(budgetPolicyOptions, options, "BudgetPolicy");
    this.spec = Object.freeze({ type: "budget", ...parsed });
    this.#limits = kinds.flatMap((kind) => {
      const limit = parsed[kind];
      return limit === undefined ? [] : [[kind, kind === "usd" ? Math.round(limit * nanos) : limit] as const];
    });
    this.#findings = Object.fromEntries(kinds.map((kind) => [kind, findingOf(kind, parsed)])) as Record<Kind, Finding>;
    this.#price = pricesOf(parsed.prices);
    Object.freeze(this);
  }

  judge(): Judge {
    const used: Record<Kind, number> = { syscalls: 0, steps: 0, bytes: 0, tokens: 0, usd: 0 };
    const next: Record<Kind, number> = { syscalls: 1, steps: 0, bytes: 0, tokens: 0, usd: 0 };
    const within = new Set<Kind>();
    const limits = this.#limits;
    const countsBytes = limits.some(([kind]) => kind === "bytes");
    return {
      before: (call) => {
        const price = this.#price(call.syscall);
        const argumentBytes = countsBytes ? sizeOf(call.args) : 0;
        next.bytes = argumentBytes;
        next.tokens = price.tokens;
        next.usd = price.usd;
        return this.#exceeded((kind, limit) => used[kind] + next[kind] > limit || spent(kind, used[kind], limit));
      },
      settled: (call, reply) => {
        within.clear();
        for (const [kind, limit] of limits) if (used[kind] <= limit) within.add(kind);
        this.#count(used, { call, reply, countsBytes });
        return this.#exceeded((kind, limit) => kind !== "syscalls" && within.has(kind) && used[kind] > limit);
      },
    };
  }

  #exceeded(test: (kind: Kind, limit: number) => boolean): readonly Finding[] {
    let found = noFindings;
    for (const [kind, limit] of this.#limits) if (test(kind, limit)) found = [...found, this.#findings[kind]];
    return found;
  }

  #count(
    used: Record<Kind, number>,
    { call, reply, countsBytes }: { readonly call: Call; readonly reply: Reply; readonly countsBytes: boolean },
  ): void {
    used.syscalls++;
    // A text that is denied while it runs has taken steps all the same.
    used.steps += reported(reply.usage?.steps);
    if (reply.ran !== true) return;
    const price = this.#price(call.syscall);
    used.tokens += price.tokens + reported(reply.usage?.tokens);
    used.usd += price.usd + Math.round(reported(reply.usage?.usd) * nanos);
    if (countsBytes) used.bytes += sizeOf(call.args) + sizeOf(reply.result ?? reply.error);
  }
}

/** Steps are known only afterwards: once the last is taken, there is none for another syscall. */
function spent(kind: Kind, used: number, limit: number): boolean {
  return kind === "steps" && used >= limit;
}

/** What a driver says that it used; what is no amount is without end, so that it cannot be spent unseen. */
function reported(given: unknown): number {
  if (given === undefined) return 0;
  return typeof given === "number" && given >= 0 ? given : Number.POSITIVE_INFINITY;
}

function pricesOf(prices: Settings["prices"]): (syscall: string) => Pick<Amounts, "tokens" | "usd"> {
  const compiled = Object.entries(prices)
    .map(([source, { tokens, usd }]) => ({
      pattern: compilePattern(source),
      price: Object.freeze({ tokens, usd: Math.round(usd * nanos) }),
    }))
    .sort((a, b) => b.pattern.specificity - a.pattern.specificity);
  return (syscall) => compiled.find(({ pattern }) => pattern.matches(syscall))?.price ?? free;
}

const free = Object.freeze({ tokens: 0, usd: 0 });

function findingOf(kind: Kind, settings: Settings): Finding {
  return Object.freeze({
    decision: "deny",
    rule: kind,
    severity: settings.severity,
    description: `the episode's ${settings[kind]} ${kind} are used up`,
  });
}
