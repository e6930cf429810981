import { describe, expect, it } from "vitest";
import { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { lint } from "../../src/kernel/lint/lint.ts";
import { surroundingsOf } from "../../src/kernel/lint/surroundings.ts";
import type { PolicySpec, ResolvedPolicySpec } from "../../src/kernel/policies/policy-spec.ts";
import { bankDrivers, moduleFile } from "./bank-kernel.ts";
import { bootShop, supportGrants } from "./shop-kernel.ts";

const shop = await bootShop();
const surroundings = surroundingsOf(shop, bankDrivers());

function problems(policies: readonly PolicySpec[], hasResolver = false): readonly string[] {
  const resolved = new KernelSpace({ policies }).policies.map(({ spec }) => spec as unknown as ResolvedPolicySpec);
  return lint(resolved, { ...surroundings, hasResolver }).map(({ path, problem }) => `${path} ${problem}`);
}

const tools = (...rules: Extract<PolicySpec, { type: "tools" }>["rules"]): PolicySpec => ({ type: "tools", rules });

describe("lint", () => {
  it("finds nothing in policies that do what they say", () => {
    const sets: PolicySpec[] = [
      { type: "sql", ...supportGrants },
      { type: "budget", syscalls: 16, tokens: 10, prices: { "llm.*": { tokens: 1 } } },
      { type: "rate", limits: [{ syscall: "bank.*", max: 2, window: 5 }] },
      tools(
        { allow: "*" },
        { warn: "bank.*" },
        { allow: "bank.look" },
        { allow: "bank.pay", when: { amount: { max: 5 } } },
        { deny: "bank.*", when: { to: { equals: "x" } } },
        { deny: "bank.pay", when: { amount: { min: 9, max: 10 } }, severity: "high" },
      ),
      { type: "content", find: ["email"], custom: [{ name: "ticket", pattern: "T-[0-9]+" }] },
      { type: "sequence", rules: [{ name: "q", after: { read: "users" }, deny: "chat.*", until: "bank.look" }] },
      { type: "custom", module: moduleFile("no-pay"), options: { max: 1 } },
    ];
    expect(problems(sets)).toEqual([]);
  });

  it.each<[string, PolicySpec, RegExp]>([
    [
      "a grant that deny takes away",
      { type: "sql", deny: ["DELETE"], tables: { orders: { delete: true } } },
      /orders\.delete grants nothing: deny has DELETE/,
    ],
    ["an effect denied twice", { type: "sql", deny: ["DROP", "DROP"] }, /deny names DROP twice/],
    [
      "a table that is not there",
      { type: "sql", tables: { nowhere: { select: true } } },
      /nowhere names a table that the database does not have/,
    ],
    [
      "a column that is not there",
      { type: "sql", tables: { users: { select: { except: ["pasword"] } } } },
      /except names a column that is not there: pasword/,
    ],
    [
      "one table under two names",
      { type: "sql", tables: { users: {}, USERS: { select: true } } },
      /users is shadowed by tables\.USERS/,
    ],
    [
      "a grant that says what * says",
      { type: "sql", tables: { "*": { select: true }, users: { select: true } } },
      /users says the same as tables/,
    ],
    [
      "a limit looser than the driver's",
      { type: "sql", limits: { vmSteps: 1e9 } },
      /limits\.vmSteps is 1000000000, more than the driver's own/,
    ],
    ["a policy that is off", { type: "sql", mode: "off" }, /mode is off/],
    ["a budget of nothing", { type: "budget", tokens: 0 }, /tokens is 0/],
    ["a budget without an end", { type: "budget" }, /never ends/],
    [
      "prices of what is not limited",
      { type: "budget", syscalls: 1, prices: { "llm.*": { usd: 1 } } },
      /prices count towards nothing/,
    ],
    ["a rate without an end", { type: "rate", limits: [{ max: 5, window: 5 }] }, /limits\.0 never ends/],
    [
      "a rate of what there is not",
      { type: "rate", limits: [{ syscall: "http.*", max: 1, window: 5 }] },
      /matches no syscall that there is: http\.\*/,
    ],
    ["a tool that there is not", tools({ deny: "files.delete" }), /rules\.0\.deny matches no syscall/],
    [
      "a grant under a denial",
      tools({ deny: "bank.*" }, { allow: "bank.pay" }),
      /rules\.1\.allow of bank\.pay is shadowed by rules\.0\.deny/,
    ],
    [
      "a denial under a denial",
      tools({ deny: "*" }, { deny: "bank.pay", when: { amount: { min: 1 } } }),
      /rules\.1\.deny of bank\.pay is shadowed/,
    ],
    [
      "a rule said twice",
      tools({ deny: "bank.pay" }, { deny: "bank.pay", severity: "low" }),
      /rules\.1\.deny says the same as rules\.0\.deny/,
    ],
    [
      "a grant beside a stricter one",
      tools({ warn: "bank.pay" }, { allow: "bank.pay" }),
      /rules\.1\.allow .* stricter/,
    ],
    [
      "a grant within a wider one",
      tools({ allow: "bank.*" }, { allow: "bank.pay" }),
      /rules\.1\.allow of bank\.pay adds nothing to rules\.0\.allow/,
    ],
    [
      "numbers that no number is",
      tools({ deny: "bank.pay", when: { amount: { min: 2, max: 1 } } }),
      /when can never hold: amount: min 2 is more than max 1/,
    ],
    ["a choice of nothing", tools({ deny: "bank.pay", when: { amount: { in: [] } } }), /in is empty/],
    [
      "a value that the rest excludes",
      tools({ deny: "bank.pay", when: { to: { equals: "a", startsWith: "b" } } }),
      /no value that it names/,
    ],
    ["an escalation to nobody", tools({ escalate: "bank.pay" }), /rules\.0\.escalate denies always/],
    ["a pattern twice", { type: "content", find: ["email", "email"] }, /find names email twice/],
    [
      "a custom pattern twice",
      {
        type: "content",
        custom: [
          { name: "a", pattern: "x" },
          { name: "b", pattern: "x" },
        ],
      },
      /custom\.1 looks for the same/,
    ],
    [
      "a trigger that cannot be",
      { type: "sequence", rules: [{ name: "x", after: "files.read", deny: "chat.*" }] },
      /rules\.0\.after matches no syscall/,
    ],
    [
      "a table that triggers nothing",
      { type: "sequence", rules: [{ name: "x", after: { read: "nowhere" }, deny: "chat.*" }] },
      /does not have: nowhere/,
    ],
    [
      "a consequence that cannot be",
      { type: "sequence", rules: [{ name: "x", after: "bank.look", deny: "http.*" }] },
      /rules\.0\.deny matches no syscall/,
    ],
  ])("finds %s", (_, policy, expected) => {
    const found = problems([policy]);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^kernel\.policies\.0\./);
    expect(found[0]).toMatch(expected);
  });

  it("finds a policy that is there twice, and a resolver that nobody asks", () => {
    const policy: PolicySpec = { type: "budget", syscalls: 4 };
    expect(problems([policy, policy], true)).toEqual([
      "kernel.policies.1 says the same as kernel.policies.0",
      "kernel.resolver is never asked: no policy escalates",
    ]);
  });
});
