import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Syscall } from "../../src/core/syscall.ts";
import type { KernelSpaceOptions } from "../../src/kernel/kernel-space.ts";
import { KernelSpace } from "../../src/kernel/kernel-space.ts";
import type { PolicySpec } from "../../src/kernel/policies/policy-spec.ts";
import type { Judge, Policy } from "../../src/kernel/policy.ts";
import type { EscalationRequest } from "../../src/kernel/resolver.ts";
import { ToolSet } from "../../src/kernel/tool-set.ts";
import { bankDrivers, call, moduleFile, openBank, pay } from "./bank-kernel.ts";

const escalating: KernelSpaceOptions = {
  policies: [{ type: "tools", rules: [{ escalate: "bank.pay", name: "ask", severity: "high" }, { allow: "*" }] }],
};

describe("what a policy escalates", () => {
  it("is denied without a resolver", async () => {
    const { session } = await openBank(escalating);
    expect(pay(session, 1)).toMatchObject({
      verdict: "escalate",
      outcome: "denied",
      violations: [{ policy: "tools", rule: "ask", type: "BLOCKED", blocked: true }],
    });
  });

  it("runs where the resolver allows it, and the answer says so and costs nothing", async () => {
    const asked: EscalationRequest[] = [];
    const resolver = (request: EscalationRequest) => {
      asked.push(request);
      return "allow" as const;
    };
    const { session } = await openBank({ ...escalating, resolver });
    expect(pay(session, 1)).toMatchObject({
      verdict: "warn",
      outcome: "completed",
      violations: [{ rule: "ask", type: "WARNED", blocked: false, penalty: 0 }],
    });
    expect(asked).toMatchObject([
      { episode: "train-0-0-1", step: 0, syscall: "bank.pay", args: { amount: 1, to: "alice" } },
    ]);
  });

  it.each([
    ["denies", () => "deny"],
    [
      "throws",
      () => {
        throw new Error("asleep");
      },
    ],
    ["answers rubbish", () => "ALLOW"],
    ["answers nothing", () => undefined],
    ["answers rubbish later", async () => true],
    [
      "fails later",
      async () => {
        throw new Error("asleep");
      },
    ],
  ])("is denied where the resolver %s", async (_, resolver) => {
    const done: Syscall[] = [];
    const { session } = await openBank({ ...escalating, resolver: resolver as never }, bankDrivers(done));
    const result = await session.execute({ syscall: "bank.pay", args: { amount: 1 } });
    expect(result).toMatchObject({ verdict: "escalate", outcome: "denied" });
    expect(result.violations.map(({ rule }) => rule)).toContain("ask");
    expect(done).toEqual([]);
  });

  it("is decided by a module's resolver, in any thread", async () => {
    const { kernel, session } = await openBank({ ...escalating, resolver: { module: moduleFile("resolver") } });
    expect([pay(session, 5).outcome, pay(session, 500).outcome]).toEqual(["completed", "denied"]);
    const copy = await openBank(structuredClone(kernel.spec));
    expect([pay(copy.session, 5).outcome, pay(copy.session, 500).outcome]).toEqual(["completed", "denied"]);
    expect(copy.kernel.policySetHash).toBe(kernel.policySetHash);
    expect(() => new KernelSpace({ resolver: () => "allow" }).spec).toThrow(/module/);
  });

  it("never runs once the episode is killed, whatever the resolver says then", async () => {
    const done: Syscall[] = [];
    let allow: (answer: "allow") => void = () => undefined;
    const resolver = () =>
      new Promise<"allow">((resolve) => {
        allow = resolve;
      });
    const { session, records } = await openBank({ ...escalating, resolver }, bankDrivers(done));
    const pending = session.execute({ syscall: "bank.pay", args: { amount: 1 } });
    session.signal("SIGKILL");
    expect((await pending).violations).toMatchObject([{ rule: "SIGKILL" }]);
    allow("allow");
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toEqual([]);
    expect(records().filter(({ kind }) => kind === "outcome")).toHaveLength(1);
  });

  it("is not asked about where another policy denies", async () => {
    const resolver = () => {
      throw new Error("nobody should ask");
    };
    const policies = [...(escalating.policies ?? []), { type: "budget", bytes: 1 } as const];
    const { session } = await openBank({ policies, resolver });
    expect(pay(session, 1)).toMatchObject({ verdict: "deny", violations: [{ type: "BLOCKED" }, { type: "BLOCKED" }] });
  });
});

describe("arguments", () => {
  it("are read once: what is judged, recorded and performed is the same, whatever the agent does meanwhile", async () => {
    const done: Syscall[] = [];
    const deny: PolicySpec = { type: "tools", rules: [{ deny: "bank.pay", when: { amount: { min: 10 } } }] };
    const { session, records } = await openBank({ policies: [deny] }, bankDrivers(done));
    let reads = 0;
    const shifty = {
      get amount() {
        return reads++ === 0 ? 5 : 5_000;
      },
      to: "alice",
    };
    expect(session.execute({ syscall: "bank.pay", args: shifty })).toMatchObject({ outcome: "completed" });
    const syscall = new Proxy(
      { syscall: "bank.pay", args: { amount: 6, to: "x" } },
      {
        get: (target, key, receiver) =>
          key === "args" && reads++ > 1 ? { amount: 9_000 } : Reflect.get(target, key, receiver),
      },
    );
    session.execute(syscall);
    expect(done.map(({ args }) => args.amount)).toEqual([5, 6]);
    const intents = records().flatMap((record) => (record.kind === "intent" ? [record.args] : []));
    expect(intents).toMatchObject([{ amount: 5 }, { amount: 6 }]);
  });

  it("cannot be changed while a syscall waits or is pending", async () => {
    const { session, records } = await openBank();
    const args = { text: "first" };
    session.signal("SIGSTOP");
    const held = session.execute({ syscall: "chat.later", args });
    args.text = "second";
    session.signal("SIGCONT");
    args.text = "third";
    expect(await held).toMatchObject({ result: "first" });
    expect(records().find(({ kind }) => kind === "intent")).toMatchObject({ args: { text: "first" } });
  });

  it("cannot be changed by the driver, for the agent's copy or the judges'", async () => {
    const seen: unknown[] = [];
    const policy = watcher({
      after: ({ args }) => {
        seen.push(structuredClone(args));
        return [];
      },
    });
    const operations = {
      spoil: (args: object) => {
        (args as { list: number[] }).list.push(2);
      },
    };
    const { session } = await openBank({ policies: [policy] }, { bad: { operations } });
    const args = { list: [1] };
    expect(call(session, "bad.spoil", args)).toMatchObject({ outcome: "failed" });
    expect([args, ...seen]).toEqual([{ list: [1] }, { list: [1] }]);
  });

  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  it.each([
    [
      "a getter that throws",
      {
        get x() {
          throw new Error("no");
        },
      },
    ],
    ["a cycle", cycle],
    ["a function", { x: () => 1 }],
    ["an instance of a class", { x: { y: new Date(0) } }],
    [
      "a proxy that throws",
      {
        x: new Proxy(
          {},
          {
            ownKeys() {
              throw new Error("no");
            },
          },
        ),
      },
    ],
    ["a list", []],
    ["nothing", null],
  ])("that are no plain data are denied and recorded: %s", async (_, args) => {
    const { session, records } = await openBank();
    expect(call(session, "chat.say", args)).toMatchObject({
      outcome: "denied",
      violations: [{ rule: "bad-arguments" }],
    });
    expect(records().map(({ kind }) => kind)).toEqual(["start", "intent", "outcome"]);
  });

  it("keep a key named __proto__ as a key", async () => {
    const { session } = await openBank();
    const text = JSON.parse('{"__proto__": {"admin": true}}');
    const { result } = call(session, "chat.say", { text });
    expect(JSON.stringify(result)).toBe('{"__proto__":{"admin":true}}');
    expect((result as { admin?: boolean }).admin).toBe(undefined);
  });
});

describe("results", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  it.each([
    [
      "a getter that throws",
      () => ({
        get x() {
          throw new Error("no");
        },
      }),
    ],
    ["a cycle", () => cycle],
    ["a function", () => () => 1],
    [
      "a revoked proxy",
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      },
    ],
    [
      "an error whose message throws",
      () => {
        throw Object.defineProperty(new Error(), "message", {
          get() {
            throw new Error("no");
          },
        });
      },
    ],
    [
      "a thenable that throws",
      () =>
        new Proxy(
          {},
          {
            has: () => true,
            get() {
              throw new Error("no");
            },
          },
        ),
    ],
    ["a promise of a function", async () => () => 1],
  ])("that are no plain data fail the syscall, and nothing else: %s", async (_, run) => {
    const { session, records } = await openBank({}, { bad: { operations: { run } } });
    const result = await session.execute({ syscall: "bad.run", args: {} });
    expect(result).toMatchObject({ outcome: "failed", violations: [] });
    expect(records().map(({ kind }) => kind)).toEqual(["start", "intent", "outcome"]);
    expect(session.counts.mediated).toEqual(session.counts.recorded);
  });

  it("are copies: what the driver does to its own afterwards changes nothing", async () => {
    const own = { list: [1] };
    const { session } = await openBank({}, { good: { operations: { run: () => own } } });
    const { result } = call(session, "good.run");
    own.list.push(2);
    expect(result).toEqual({ list: [1] });
  });
});

describe("a judge that cannot decide denies", () => {
  const whens = ["before", "after", "settled"];
  const hows = [
    "throws",
    "throws nothing",
    "promises",
    "answers a number",
    "answers an unknown decision",
    "answers an unknown field",
    "transforms into nothing",
  ];
  it.each(whens.flatMap((when) => hows.map((how) => [when, how])))("when its %s %s", async (when, how) => {
    const { session } = await openBank({
      policies: [{ type: "custom", module: moduleFile("broken"), options: { when, how } }],
    });
    const answers = [call(session, "bank.look"), call(session, "bank.look")];
    const rules = answers.map(({ violations }) => violations.map(({ policy, rule }) => `${policy}: ${rule}`));
    expect(rules).toEqual([["custom: undecided"], ["custom: undecided"]]);
    // What is found when it is over cannot be undone; from then on everything is denied.
    expect(answers.map(({ outcome }) => outcome)).toEqual([when === "settled" ? "completed" : "denied", "denied"]);
  });

  it.each([
    ["null", () => null],
    ["a promise", async () => ({})],
    ["no method", () => ({})],
    ["a method that is none", () => ({ before: 1 })],
  ])("or that is %s", async (_, make) => {
    const policy = { name: "mine", spec: { type: "mine" }, judge: make } as unknown as Policy;
    const { session } = await openBank({ policies: [policy] });
    expect(call(session, "bank.look").violations).toMatchObject([
      { policy: "mine", rule: "undecided", type: "BLOCKED" },
    ]);
  });

  it("and so does one whose module is missing, or exports no function", async () => {
    expect(() => new KernelSpace({ policies: [{ type: "custom", module: "./nowhere.ts" }] })).toThrow(/nowhere/);
    const module = moduleFile("../bank-kernel");
    await expect(openBank({ policies: [{ type: "custom", module }] })).rejects.toThrow(/export a function/);
    await expect(openBank({ resolver: { module } })).rejects.toThrow(/kernel.resolver.module/);
  });
});

describe("transformations", () => {
  it("are judged again by every policy, and must still fit the tool", async () => {
    const done: Syscall[] = [];
    const change = (value: unknown) =>
      watcher({ before: () => [{ decision: "transform", rule: "c", severity: "low", description: "c", value }] });
    const deny: PolicySpec = { type: "tools", rules: [{ deny: "bank.pay", when: { to: { equals: "mallory" } } }] };
    const outcomeOf = async (...policies: NonNullable<KernelSpaceOptions["policies"]>) => {
      const { session } = await openBank({ policies }, bankDrivers(done));
      return pay(session, 1).outcome;
    };
    expect(await outcomeOf(change({ amount: 2, to: "bob" }))).toBe("completed");
    expect(done.map(({ args }) => args)).toEqual([{ amount: 2, to: "bob" }]);
    expect(await outcomeOf(deny, change({ amount: 2, to: "mallory" }))).toBe("denied");
    expect(await outcomeOf(change({ amount: "2" }))).toBe("denied");
    expect(await outcomeOf(change(() => 1))).toBe("denied");
    expect(await outcomeOf(change([]))).toBe("denied");
    expect(done).toHaveLength(1);
  });
});

describe("signals of the kernel itself", () => {
  it.each(["SIGTERM", "SIGKILL"] as const)(
    "%s follows a blocked violation of its severity, once and in the record",
    async (signal) => {
      const rules = [
        { deny: "bank.pay", severity: "critical" as const },
        { deny: "bank.look", severity: "low" as const },
      ];
      const { session, records } = await openBank({
        policies: [{ type: "tools", rules }],
        signals: { critical: signal },
      });
      call(session, "bank.look");
      expect(session.terminated).toBe(null);
      expect(pay(session, 1)).toMatchObject({ violations: [{ rule: "deny bank.pay" }] });
      expect(call(session, "bank.look").violations).toMatchObject([
        { policy: "kernel", rule: signal, type: "SIGNAL_SENT" },
      ]);
      expect(session.terminated).toBe(signal);
      session.close();
      const kinds = records().map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === "signal")).toHaveLength(1);
      expect(kinds.slice(3, 6)).toEqual(["intent", "outcome", "signal"]);
    },
  );

  it("do not follow what only warns or watches", async () => {
    const rules = [{ deny: "bank.*", severity: "critical" as const }];
    const { session } = await openBank({
      policies: [{ type: "tools", rules, mode: "shadow" }],
      signals: { critical: "SIGKILL" },
    });
    pay(session, 1);
    expect(pay(session, 1).outcome).toBe("completed");
  });
});

it("a tool is registered once, and its set is a driver like others", async () => {
  const tools = new ToolSet().register("twice", z.strictObject({ n: z.number() }), ({ n }) => n * 2);
  expect(() => tools.register("twice", z.strictObject({}), () => 1)).toThrow(/registered already/);
  const { session } = await openBank({}, { math: tools });
  expect(call(session, "math.twice", { n: 2 })).toMatchObject({ result: 4, verdict: "allow" });
  expect(call(session, "math.constructor", {})).toMatchObject({ violations: [{ rule: "unknown-syscall" }] });
});

/** A policy of the user's own. */
function watcher(judge: Judge): Policy {
  return { name: "own", spec: { type: "own" }, judge: () => judge };
}
