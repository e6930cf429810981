import { describe, expect, it } from "vitest";
import type { PolicySpec } from "../../../src/kernel/policies/policy-spec.ts";
import { bankDrivers, call, openBank, pay } from "../bank-kernel.ts";

const ask = (session: Parameters<typeof call>[0], sql: string) => call(session, "sql.query", { sql });
const rulesOf = ({ violations }: ReturnType<typeof call>) => violations.map(({ policy, rule }) => `${policy}: ${rule}`);

describe("a budget", () => {
  it("of bytes denies before what would exceed it, and counts results", async () => {
    const { session } = await openBank({ policies: [{ type: "budget", bytes: 100 }] });
    expect(call(session, "chat.say", { text: "x".repeat(30) }).outcome).toBe("completed");
    expect(rulesOf(call(session, "chat.say", { text: "x".repeat(30) }))).toEqual(["budget: bytes"]);
    expect(call(session, "bank.look").outcome).toBe("completed");
  });

  it("of engine steps reports the text that went beyond, and denies all that follow, the same way every time", async () => {
    const endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500) SELECT count(*) FROM n";
    const play = async () => {
      const { session } = await openBank({ policies: [{ type: "budget", steps: 20_000 }] });
      return Array.from({ length: 8 }, () => ask(session, endless)).map(({ outcome, violations }) => ({
        outcome,
        types: violations.map(({ rule, type }) => `${rule} ${type}`),
      }));
    };
    const answers = await play();
    const over = answers.findIndex(({ types }) => types.length > 0);
    expect(over).toBeGreaterThan(0);
    expect(answers[over]).toEqual({ outcome: "completed", types: ["steps WARNED"] });
    for (const answer of answers.slice(over + 1))
      expect(answer).toEqual({ outcome: "denied", types: ["steps BLOCKED"] });
    expect(await play()).toEqual(answers);
  });

  it("of money adds prices and what drivers report, exactly", async () => {
    const { session } = await openBank({
      policies: [
        { type: "budget", usd: 0.3, tokens: 1000, prices: { "llm.*": { usd: 0.05 }, "bank.pay": { tokens: 1 } } },
      ],
    });
    const complete = (usd: number) => call(session, "llm.complete", { usage: { usd, tokens: 300 } });
    expect([complete(0.05), complete(0.05), complete(0.05)].map(({ verdict }) => verdict)).toEqual(
      Array(3).fill("allow"),
    );
    expect(rulesOf(complete(0))).toEqual(["budget: usd"]);
    expect(pay(session, 1).verdict).toBe("allow");
  });

  it("takes an amount that is none for all there is", async () => {
    const { session } = await openBank({ policies: [{ type: "budget", tokens: 1000 }] });
    expect(call(session, "llm.complete", { usage: { tokens: "few" } })).toMatchObject({
      outcome: "completed",
      violations: [{ rule: "tokens", type: "WARNED", blocked: false }],
    });
    expect(rulesOf(call(session, "bank.look"))).toEqual(["budget: tokens"]);
  });
});

describe("a rate", () => {
  it("counts what ran in the last ticks, whatever else was denied", async () => {
    const { session } = await openBank({
      policies: [
        { type: "rate", limits: [{ syscall: ["bank.pay", "chat.*"], max: 2, window: 4 }] },
        { type: "tools", rules: [{ deny: "bank.pay", when: { amount: { min: 100 } } }] },
      ],
    });
    const outcomes = [
      pay(session, 1),
      pay(session, 500),
      pay(session, 1),
      pay(session, 1),
      pay(session, 1),
      pay(session, 1),
    ];
    expect(outcomes.map((answer) => answer.outcome === "completed")).toEqual([true, false, true, false, true, false]);
    expect(rulesOf(outcomes[3] as never)).toEqual(["rate: bank.pay, chat.* 2 in 4"]);
  });
});

describe("tools", () => {
  const tools = (...rules: Extract<PolicySpec, { type: "tools" }>["rules"]) => ({
    policies: [{ type: "tools", rules } as const],
  });

  it("deny what nothing allows, as soon as something is allowed", async () => {
    const { session } = await openBank(tools({ allow: "bank.look" }));
    expect(call(session, "bank.look").verdict).toBe("allow");
    expect(rulesOf(pay(session, 1))).toEqual(["tools: not granted"]);
    const open = await openBank(tools({ deny: "bank.look" }));
    expect(pay(open.session, 1).verdict).toBe("allow");
  });

  it("let the most specific grant decide, and a denial beat every grant", async () => {
    const { session } = await openBank(
      tools(
        { warn: "*" },
        { allow: "bank.*" },
        { escalate: "bank.pay" },
        { allow: "bank.pay", when: { amount: { max: 10 } } },
        { deny: "bank.pay", when: { to: { equals: "mallory" } } },
      ),
    );
    expect(call(session, "chat.say", { text: "x" })).toMatchObject({ verdict: "warn", outcome: "completed" });
    expect(call(session, "bank.look").verdict).toBe("allow");
    expect(pay(session, 5).verdict).toBe("allow");
    expect(pay(session, 50)).toMatchObject({ verdict: "escalate", outcome: "denied" });
    expect(pay(session, 5, "mallory")).toMatchObject({ verdict: "deny", violations: [{ type: "BLOCKED" }] });
  });

  it.each([
    [{ amount: { min: 10 } }, { amount: 9 }, false],
    [{ amount: { min: 10 } }, { amount: 10n }, true],
    [{ amount: { min: 10 } }, { amount: "9" }, true],
    [{ amount: { min: 10 } }, { amount: Number.NaN }, true],
    [{ amount: { min: 10 } }, {}, false],
    [{ amount: { max: -1 } }, { amount: -2 }, true],
    [{ to: { equals: "x" } }, { to: "y" }, false],
    [{ ok: { equals: true } }, { ok: "true" }, true],
    [{ to: { in: ["x", 1] } }, { to: 1 }, true],
    [{ to: { in: ["x", 1] } }, { to: "1" }, true],
    [{ to: { in: ["x"] } }, { to: ["x"] }, true],
    [{ to: { exists: false } }, {}, true],
    [{ to: { exists: false } }, { to: null }, false],
    [{ path: { startsWith: "/etc" } }, { path: "/etc/passwd" }, true],
    [{ path: { startsWith: "/etc" } }, { path: "/home" }, false],
    [{ path: { startsWith: "/etc" } }, { path: ["/etc"] }, true],
    [{ path: { endsWith: ".key", startsWith: "/" } }, { path: "/a.key" }, true],
    [{ path: { matches: "^(a+)+$" } }, { path: `${"a".repeat(50_000)}b` }, false],
    [{ "deep.list.1": { equals: 2 } }, { deep: { list: [1, 2] } }, true],
    [{ "deep.length": { equals: 2 } }, { deep: "ab" }, false],
    [{ "__proto__.x": { exists: true } }, {}, false],
  ])("deny by %o of %o: %o; what cannot be told is denied", async (when, args, denied) => {
    const { session } = await openBank(tools({ deny: "chat.*", when } as never));
    const { outcome, violations } = call(session, "chat.say", args);
    expect([outcome === "denied", violations.length > 0]).toEqual([denied, denied]);
  });

  it("grant nothing by a condition that cannot be told", async () => {
    const { session } = await openBank(tools({ allow: "chat.*", when: { amount: { max: 10 } } }));
    expect(call(session, "chat.say", { amount: 5 }).verdict).toBe("allow");
    for (const amount of ["5", null, undefined, [5]])
      expect(call(session, "chat.say", { amount }).verdict).toBe("deny");
  });

  it.each([
    [{ amount: "20", to: "x" }, /args\.amount.*number/],
    [{ amount: 1, to: "x", memo: 1 }, /memo/],
    [{}, /args\.amount/],
  ])("deny arguments that do not fit the schema, with path and expectation: %j", async (args, message) => {
    const { session } = await openBank();
    const answer = call(session, "bank.pay", args);
    expect(answer).toMatchObject({ outcome: "denied", violations: [{ policy: "kernel", rule: "bad-arguments" }] });
    expect(answer.error).toMatch(message);
  });

  it("judge the arguments as the schema makes them", async () => {
    const { session } = await openBank(tools({ deny: "bank.pay", when: { to: { equals: "nobody" } } }));
    expect(call(session, "bank.pay", { amount: 1 }).outcome).toBe("denied");
  });

  it.each([
    [{ allow: "a", deny: "b" }, /exactly one/],
    [{}, /exactly one/],
    [{ deny: "a*" }, /prefix/],
    [{ deny: "a", when: { x: {} } }, /expected/],
    [{ deny: "a", when: { x: { matches: "(a)\\1" } } }, /linear time/],
    [{ deny: "a", when: { x: { matches: "(" } } }, /regular expression/],
    [{ deny: "a", when: { x: { equal: 1 } } }, /equal/],
  ])("that cannot be meant are load errors: %j", async (rule, message) => {
    await expect(openBank(tools(rule as never))).rejects.toThrow(message);
  });
});

describe("a sequence", () => {
  const sequence = (...rules: Extract<PolicySpec, { type: "sequence" }>["rules"]) => ({
    policies: [{ type: "sequence", rules } as const],
  });

  it("forbids what comes after a read of a table, by view, join or rerun, until what ends it", async () => {
    for (const sql of ["SELECT name FROM users", "SELECT 1 FROM orders WHERE user_id IN (SELECT id FROM users)"]) {
      const { session } = await openBank(
        sequence({ name: "quiet", after: { read: "Users" }, deny: "chat.*", until: "bank.look" }),
      );
      const say = () => call(session, "chat.say", { text: "x" }).outcome;
      ask(session, "SELECT count(*) FROM notes");
      expect(say()).toBe("completed");
      for (const _ of [1, 2, 3]) {
        ask(session, sql);
        expect(say()).toBe("denied");
        expect(call(session, "bank.look").outcome).toBe("completed");
        expect(say()).toBe("completed");
      }
    }
  });

  it("counts writes, and not what was denied", async () => {
    const { session } = await openBank({
      policies: [
        { type: "sql", deny: ["DELETE"] },
        { type: "sequence", rules: [{ name: "frozen", after: { write: "*" }, deny: "bank.*" }] },
      ],
    });
    ask(session, "DELETE FROM orders");
    expect(call(session, "bank.look").outcome).toBe("completed");
    ask(session, "UPDATE orders SET status = 'x' WHERE id = 1");
    expect(rulesOf(call(session, "bank.look"))).toEqual(["sequence: frozen"]);
  });

  it("of several actions is armed by all of them in their order, failed ones included", async () => {
    const { session } = await openBank(
      sequence({
        name: "abc",
        after: ["bank.look", { syscall: "chat.fail", when: { text: { equals: "x" } } }],
        deny: "bank.pay",
      }),
    );
    call(session, "chat.fail", { text: "x" });
    call(session, "bank.look");
    expect(pay(session, 1).outcome).toBe("completed");
    call(session, "chat.fail", { text: "x" });
    expect(pay(session, 1).outcome).toBe("denied");
  });
});

describe("content", () => {
  const card = "4111 1111 1111 1111";
  const secrets = {
    email: ["ann.lee+x@mail.example.co", "user@host", "@ann", "a@b.c1"],
    phone: ["+44 20 7946 0958", "1234", "2024-01-02"],
    "credit-card": [card, "4111 1111 1111 1112", "0000000000000000"],
    iban: ["DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 01"],
    ipv4: ["192.168.0.254", "192.168.0.256", "1.2.3.4.5"],
    "us-ssn": ["078-05-1120", "000-12-3456", "078-05-11201"],
    "aws-key": ["AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPL"],
    "github-token": [`ghp_${"a1B2".repeat(9)}`, "ghp_short"],
    "private-key": [
      "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
      "-----BEGIN PUBLIC KEY-----",
    ],
    jwt: ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJhbGci.x.y"],
    "api-key": ["api_key = 'abcdef0123456789ABCDEF'", "api_key = 'short'"],
  } as const;

  it.each(Object.entries(secrets))("finds %s and not its look-alikes", async (name, [secret, ...harmless]) => {
    const { session } = await openBank({
      policies: [{ type: "content", find: [name as keyof typeof secrets], in: ["results"] }],
    });
    const { result, verdict, violations } = call(session, "chat.say", {
      text: [{ [`it is ${secret}`]: `so: ${secret}.` }],
    });
    expect(result).toEqual([{ [`it is [REDACTED:${name}]`]: `so: [REDACTED:${name}].` }]);
    expect(verdict).toBe("transform");
    expect(violations).toMatchObject([{ policy: "content", rule: name, type: "MODIFIED", blocked: false }]);
    for (const text of harmless)
      expect(call(session, "chat.say", { text: `so: ${text} ` })).toMatchObject({ verdict: "allow" });
  });

  it("redacts rows, numbers, bytes and error texts, and leaves the rest as it is", async () => {
    const policies: PolicySpec[] = [{ type: "content", find: ["email", "credit-card"], in: ["results"] }];
    const { session } = await openBank({ policies });
    const rows = ask(session, "SELECT name || '@example.com', 4111111111111111, 5, x'00ff', NULL FROM users LIMIT 1");
    expect((rows.result as { rows: unknown[][] }).rows[0]).toEqual([
      "[REDACTED:email]",
      "[REDACTED:credit-card]",
      5,
      new Uint8Array([0, 255]),
      null,
    ]);
    const bytes = call(session, "chat.say", { text: { raw: Buffer.from("ann@example.com"), n: 41 } });
    expect(bytes.outcome).toBe("completed");
    expect(bytes.result).toEqual({ raw: "[REDACTED:email]", n: 41 });
    const failed = call(session, "chat.fail", { text: `no card ${card}` });
    expect(failed).toMatchObject({ outcome: "failed", verdict: "transform", error: "no card [REDACTED:credit-card]" });
  });

  it("redacts arguments before they are performed, and the record of the intent keeps what was asked", async () => {
    const done: { readonly args: unknown }[] = [];
    const { session, records } = await openBank(
      { policies: [{ type: "content", find: ["email"] }] },
      bankDrivers(done as never),
    );
    expect(pay(session, 1, "ann@example.com")).toMatchObject({ outcome: "completed", verdict: "transform" });
    expect(done[0]?.args).toEqual({ amount: 1, to: "[REDACTED:email]" });
    expect(records().find(({ kind }) => kind === "intent")).toMatchObject({ args: { to: "ann@example.com" } });
  });

  it("denies what it may not see, withholds what nobody may see, and only tells with warn", async () => {
    const content = (options: object) =>
      openBank({ policies: [{ type: "content", find: ["email"], ...options } as PolicySpec] });
    const denying = await content({ action: "deny", in: ["arguments"] });
    expect(pay(denying.session, 1, "a@b.example").outcome).toBe("denied");
    const withholding = await content({ action: "deny", in: ["results"] });
    const withheld = call(withholding.session, "chat.say", { text: "a@b.example" });
    expect(withheld).toMatchObject({ outcome: "denied", verdict: "deny" });
    expect(withheld).not.toHaveProperty("result");
    const warning = await content({ action: "warn" });
    expect(call(warning.session, "chat.say", { text: "a@b.example" })).toMatchObject({
      verdict: "warn",
      result: "a@b.example",
    });
  });

  it("denies what is too long to look through, and says so", async () => {
    const { session } = await openBank({ policies: [{ type: "content", find: ["email"], lengthMax: 100 }] });
    expect(rulesOf(call(session, "chat.say", { text: "x".repeat(101) }))).toEqual(["content: too long"]);
    expect(call(session, "chat.say", { text: "x".repeat(90) }).outcome).toBe("completed");
  });

  it("looks for patterns of the user's in linear time", async () => {
    const custom = [
      { name: "ticket", pattern: "TCK-[0-9][0-9]*" },
      { name: "hard", pattern: "(a|aa)*b" },
    ];
    const { session } = await openBank({ policies: [{ type: "content", custom }] });
    expect(call(session, "chat.say", { text: `TCK-12 ${"a".repeat(3_000)}` }).result).toBe(
      `[REDACTED:ticket] ${"a".repeat(3_000)}`,
    );
    for (const pattern of ["(?=a)", "(a)\\1", "[", "x".repeat(1_001)])
      await expect(openBank({ policies: [{ type: "content", custom: [{ name: "x", pattern }] }] })).rejects.toThrow(
        /regular|1000/,
      );
  });
});
