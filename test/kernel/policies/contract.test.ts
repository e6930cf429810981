import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SyscallResult } from "../../../src/core/syscall.ts";
import { KernelSpace } from "../../../src/kernel/kernel-space.ts";
import type { PolicySpec } from "../../../src/kernel/policies/policy-spec.ts";
import { bankDrivers, moduleFile, openBank } from "../bank-kernel.ts";
import { episodeKey, shop } from "../shop-kernel.ts";

/** Every policy, with options under which it objects to some of the syscalls below, and one option changed. */
const specs = {
  sql: [{ type: "sql", deny: ["DELETE"], tables: { users: { select: true } } }, { deny: ["DELETE", "DROP"] }],
  budget: [{ type: "budget", syscalls: 4, bytes: 400 }, { bytes: 500 }],
  rate: [{ type: "rate", limits: [{ syscall: "bank.*", max: 1, window: 3 }] }, { limits: [{ max: 1, window: 4 }] }],
  tools: [
    { type: "tools", rules: [{ allow: "*" }, { deny: "bank.pay", when: { amount: { min: 10 } } }] },
    { severity: "low" },
  ],
  content: [{ type: "content", find: ["email"] }, { find: ["email", "jwt"] }],
  sequence: [{ type: "sequence", rules: [{ name: "quiet", after: "bank.look", deny: "chat.*" }] }, { mode: "off" }],
  custom: [{ type: "custom", module: moduleFile("no-pay"), options: { max: 10 } }, { options: { max: 11 } }],
} as const satisfies Record<PolicySpec["type"], readonly [PolicySpec, object]>;

const syscalls = [
  { syscall: "bank.look", args: {} },
  { syscall: "bank.pay", args: { amount: 5 } },
  { syscall: "bank.pay", args: { amount: 50 } },
  { syscall: "chat.say", args: { text: "write to ann@example.com" } },
  { syscall: "sql.query", args: { sql: "SELECT email FROM users" } },
  { syscall: "sql.query", args: { sql: "DELETE FROM orders" } },
  { syscall: "sql.query", args: { sql: "SELECT count(*) FROM orders" } },
  { syscall: "chat.fail", args: { text: "ann@example.com is unknown" } },
  { syscall: "nobody.knows", args: {} },
];

async function play(policies: readonly PolicySpec[], acts = syscalls): Promise<SyscallResult[]> {
  const { session, kernel } = await openBank({ policies });
  const results: SyscallResult[] = [];
  for (const act of acts) results.push(await session.execute(act));
  session.close();
  kernel[Symbol.dispose]();
  return results;
}

const told = ({ outcome, result, error }: SyscallResult) => ({ outcome, result, error: outcome === "denied" || error });

describe.each(Object.entries(specs))("%s", (type, [spec, change]) => {
  it("is frozen, and a clone of its spec decides the same in another kernel", async () => {
    const kernel = new KernelSpace({ policies: [spec] });
    expect(kernel.policies.every((policy) => Object.isFrozen(policy) && Object.isFrozen(policy.spec))).toBe(true);
    const clone = structuredClone(kernel.spec.policies);
    expect(await play(clone)).toEqual(await play([spec]));
    expect(new KernelSpace({ policies: clone }).policySetHash).toBe(kernel.policySetHash);
  });

  it("objects to something here, and says what", async () => {
    const found = (await play([spec])).flatMap(({ violations }) => violations);
    expect(found.filter(({ policy }) => policy === type)).not.toEqual([]);
  });

  it("an unknown field is an error that names it", () => {
    expect(() => new KernelSpace({ policies: [{ ...spec, colour: "red" } as object as PolicySpec] })).toThrow(/colour/);
  });

  it("in shadow changes no outcome, result or cost, and tells what it would have done", async () => {
    const shadow = await play([{ ...spec, mode: "shadow" } as PolicySpec]);
    expect(shadow.map(told)).toEqual((await play([])).map(told));
    const found = shadow.flatMap(({ violations }) => violations).filter(({ policy }) => policy === type);
    expect(found).not.toEqual([]);
    for (const violation of found) expect(violation).toMatchObject({ type: "WARNED", blocked: false, penalty: 0 });
  });

  it("switched off does not judge, and yet is in the hash", async () => {
    const off = { ...spec, mode: "off" } as PolicySpec;
    expect(await play([off])).toEqual(await play([]));
    const hashes = [[off], [spec], []].map((policies) => new KernelSpace({ policies }).policySetHash);
    expect(new Set(hashes).size).toBe(3);
  });

  it("a changed option changes the hash, and the order of keys does not", () => {
    const hash = (policy: PolicySpec) => new KernelSpace({ policies: [policy] }).policySetHash;
    expect(hash({ ...spec, ...change } as PolicySpec)).not.toBe(hash(spec));
    expect(hash(Object.fromEntries(Object.entries(spec).reverse()) as PolicySpec)).toBe(hash(spec));
  });
});

describe("policies together", () => {
  const pool: PolicySpec[] = Object.values(specs).map(([spec]) => spec);
  const some = fc.shuffledSubarray(pool, { minLength: 0 });
  const acts = fc.array(fc.constantFrom(...syscalls), { maxLength: 8 });
  const rank = { completed: 0, failed: 0, denied: 1 };
  const runs = { numRuns: 40 };

  it("a policy more never allows more of the first thing that either denies", async () => {
    await fc.assert(
      fc.asyncProperty(some, fc.constantFrom(...pool), acts, async (policies, more, given) => {
        const [few, many] = [await play(policies, given), await play([...policies, more], given)];
        const first = few.findIndex(({ outcome }, index) => outcome !== many[index]?.outcome);
        if (first < 0) return;
        const [with_, without] = [many[first] as SyscallResult, few[first] as SyscallResult];
        expect(rank[with_.outcome]).toBeGreaterThan(rank[without.outcome]);
      }),
      runs,
    );
  });

  it("their order changes no outcome, no result and no violation", async () => {
    await fc.assert(
      fc.asyncProperty(some, acts, async (policies, given) => {
        const sorted = (results: readonly SyscallResult[]) =>
          results.map(({ error: _, violations, ...rest }) => ({
            ...rest,
            violations: violations.map((violation) => JSON.stringify(violation)).sort(),
          }));
        expect(sorted(await play([...policies].reverse(), given))).toEqual(sorted(await play(policies, given)));
      }),
      runs,
    );
  });

  it("one in shadow among them changes no outcome and no result", async () => {
    await fc.assert(
      fc.asyncProperty(some, fc.constantFrom(...pool), acts, async (policies, more, given) => {
        const shadow = { ...more, mode: "shadow" } as PolicySpec;
        const results = await play([...policies, shadow], given);
        expect(results.map(told)).toEqual((await play(policies, given)).map(told));
      }),
      runs,
    );
  });

  it("answers are the same every time, and so are their records", async () => {
    const once = async () => {
      const { session, kernel } = await openBank({ policies: pool });
      for (const act of syscalls) await session.execute(act);
      session.close();
      return Buffer.from(kernel.recorder.seal().bytes).toString();
    };
    expect(await once()).toBe(await once());
  });

  it("every broken rule of every policy is in the answer, the most severe first", async () => {
    const { session } = await openBank({
      policies: [
        {
          type: "tools",
          rules: [
            { deny: "bank.*", name: "closed", severity: "low" },
            { deny: "bank.pay", severity: "critical" },
          ],
        },
        { type: "budget", bytes: 3, severity: "high" },
      ],
    });
    const { violations, verdict } = await session.execute({ syscall: "bank.pay", args: { amount: 1, more: 1 } });
    expect(verdict).toBe("deny");
    expect(violations.map(({ policy, rule }) => `${policy} ${rule}`)).toEqual([
      "tools deny bank.pay",
      "budget bytes",
      "kernel bad-arguments",
      "tools closed",
    ]);
  });

  it("two SQL policies on one text: the enforced denies by its rules, the other tells its own", async () => {
    const { session } = await openBank({
      policies: [
        { type: "sql", deny: ["DELETE"] },
        { type: "sql", mode: "shadow", tables: { users: { select: true } }, limits: { rowsChanged: 0, vmSteps: 10 } },
      ],
    });
    const ask = (sql: string) => session.execute({ syscall: "sql.query", args: { sql } }) as SyscallResult;
    const denied = ask("DELETE FROM orders").violations.map(({ rule, type }) => `${rule}: ${type}`);
    expect(denied[0]).toBe("DELETE: BLOCKED");
    expect(denied.slice(1)).toContain("delete orders: WARNED");
    expect(denied.slice(1).every((rule) => rule.endsWith(": WARNED"))).toBe(true);
    const update = () => ask("UPDATE orders SET status = 'x' WHERE id = 1");
    for (const answer of [update(), update()]) {
      expect(answer).toMatchObject({ outcome: "completed", verdict: "warn", result: { rowsChanged: 1 } });
      const rules = answer.violations.map(({ rule }) => rule);
      expect(rules).toEqual(expect.arrayContaining(["update orders", "limit rowsChanged", "limit vmSteps"]));
    }
    expect(ask("EXPLAIN DELETE FROM orders").violations.filter(({ rule }) => rule.includes("rders"))).toEqual([]);
  });

  it("under SQL policies that only watch, transactions are the agent's own", async () => {
    const { session } = await openBank({ policies: [{ type: "sql", mode: "shadow" }] });
    const ask = (sql: string) => session.execute({ syscall: "sql.query", args: { sql } }) as SyscallResult;
    const answers = ["BEGIN", "DELETE FROM orders", "ROLLBACK", "SELECT count(*) FROM orders"].map(ask);
    expect(answers.map(({ outcome }) => outcome)).toEqual(Array(4).fill("completed"));
    expect(answers[3]?.result).toMatchObject({ rows: [[4]] });
    expect(answers[0]?.violations).toMatchObject([{ rule: "TRANSACTION", type: "WARNED", penalty: 0 }]);
  });
});

it("the hash follows the source of modules and the resolver, not where they lie", async () => {
  const hashOf = (options: ConstructorParameters<typeof KernelSpace>[0]) => new KernelSpace(options).policySetHash;
  const resolver = { module: moduleFile("resolver") };
  const hashes = [{}, { resolver }, { resolver: () => "deny" as const }, { signals: { high: "SIGTERM" as const } }];
  expect(new Set(hashes.map(hashOf)).size).toBe(4);
  const kernel = new KernelSpace({ resolver, drivers: { sql: { database: shop } } });
  await kernel.boot();
  const session = kernel.open({ episode: episodeKey(1), drivers: bankDrivers() });
  session.close();
  const [record] = Buffer.from(kernel.recorder.seal().bytes).toString().split("\n");
  expect(JSON.parse(record ?? "")).toMatchObject({ policies: kernel.policySetHash });
});
