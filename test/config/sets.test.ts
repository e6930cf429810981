import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { applySets } from "../../src/config/apply-sets.ts";
import { loadConfig } from "../../src/config/load-config.ts";

function applied(sets: readonly string[], config: Record<string, unknown> = {}): Record<string, unknown> {
  expect(applySets(config, sets, "/here")).toEqual([]);
  return config;
}

describe("--set", () => {
  it("takes values as YAML", () => {
    expect(
      applied(["a=1", "b=true", "c=text", "d=[DROP, DELETE]", "e={x: 1}", "f=sqlite:x.db", "g='1'", "h=a=b"]),
    ).toEqual({
      a: 1,
      b: true,
      c: "text",
      d: ["DROP", "DELETE"],
      e: { x: 1 },
      f: "sqlite:x.db",
      g: "1",
      h: "a=b",
    });
  });

  it("makes objects that are absent, and lists where the path says 0", () => {
    expect(applied(["a.b.c=1", "a.b.d=2", "l.0.type=sql"])).toEqual({ a: { b: { c: 1, d: 2 } }, l: [{ type: "sql" }] });
  });

  it("reaches into lists by index, and appends one past the end", () => {
    const config = { policies: [{ type: "sql" }, { type: "budget" }] };
    applied(["policies.0.deny=[DROP]", "policies.2.type=other"], config);
    expect(config.policies).toEqual([{ type: "sql", deny: ["DROP"] }, { type: "budget" }, { type: "other" }]);
  });

  it("takes ./ and ../ from the current folder, wherever they are in the value", () => {
    expect(applied(["a=./x", "b=../y", "c={p: [./z]}", "d=x/y"])).toEqual({
      a: resolve("/here/x"),
      b: resolve("/y"),
      c: { p: [resolve("/here/z")] },
      d: "x/y",
    });
  });

  it("says what is wrong with each, and touches no prototype", () => {
    const config = { seed: 1, list: [1] };
    const mistakes = applySets(
      config,
      ["x", "=1", "seed.x=1", "list.5=1", "list.x=1", "a={", "__proto__.y=1", "a..b=1"],
      "/",
    );
    expect(mistakes).toEqual([
      '--set must be path=value, got "x"',
      '--set must be path=value, got "=1"',
      "--set seed.x=1: seed is 1, which has no parts",
      '--set list.5=1: a list of 1 has no place "5"; 0..1 are possible',
      '--set list.x=1: a list of 1 has no place "x"; 0..1 are possible',
      "--set a={: Flow map must end with a }",
      '--set __proto__.y=1: "__proto__.y" is not a path',
      '--set a..b=1: "a..b" is not a path',
    ]);
    expect(config).toEqual({ seed: 1, list: [1] });
    expect(Object.hasOwn(Object.prototype, "y")).toBe(false);
  });

  it("is checked like the file, together with it", async () => {
    const { config } = await loadConfig({ sets: ["train.seed=9", "kernel.policies.0.deny=[DROP]"] });
    expect(config.train.seed).toBe(9);
    expect(config.kernel.policies[0]).toMatchObject({ deny: ["DROP"] });
    const wrong = loadConfig({ sets: ["train.groupSize=1", "x"], overrides: { workers: 0 } });
    await expect(wrong).rejects.toThrow(
      /--set must be path=value[\s\S]*train\.groupSize must be 2\.\.1024, got 1[\s\S]*workers/,
    );
  });
});
