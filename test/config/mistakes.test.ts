import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadConfig, resolveConfig } from "../../src/config/load-config.ts";
import { InputError } from "../../src/core/errors.ts";
import { environmentModule, folderWith } from "./write-config.ts";

async function mistakesOf(config: string, sets: readonly string[] = [], name = "my.yaml"): Promise<string> {
  const folder = folderWith({ [name]: config, "tiny.mjs": environmentModule });
  const error = await loadConfig({ file: join(folder, name), sets }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).exitCode).toBe(2);
  return (error as InputError).message.replaceAll(folder, "");
}

describe("a wrong config", () => {
  it("is told every mistake at once, each with its path, what was expected and what came", async () => {
    const message = await mistakesOf(`
env: { module: ./tiny.mjs, size: 12, sise: 3 }
kernell: {}
kernel: { policies: [{ type: sqll }, { type: budget, syscalls: 0, foo: 1 }, {}] }
model: { width: 90, heads: 4 }
train: { algorithm: ppo, groupsize: 4, groupSize: 1, seed: 1.5, learningRate: 0, temperature: hot }
workers: 0
store: mysql://x
runner: 3
`);
    expect(message.split("\n  ")).toEqual([
      "/my.yaml has 17 mistakes:",
      'kernel.policies.0.type must be one of "sql", "budget", "rate", "tools", "content", "sequence", "custom", got "sqll"',
      "kernel.policies.1.syscalls must be at least 1, got 0",
      "kernel.policies.1.foo is not a known key; known here: syscalls, steps, bytes, tokens, usd, prices, severity, mode, type",
      'kernel.policies.2.type must be one of "sql", "budget", "rate", "tools", "content", "sequence", "custom", got nothing',
      "runner must be an object, got 3",
      "model.width must be a multiple of model.heads, got 90",
      expect.stringMatching(/^train\.algorithm must be one of "grpo", .*"reinforce\+\+_baseline", "GRPO", got "ppo"$/),
      "train.groupSize must be 2..1024, got 1",
      "train.seed must be an integer 0..4294967295, got 1.5",
      "train.learningRate must be above 0 and at most 1, got 0",
      'train.temperature must be a number above 0 and at most 10, got "hot"',
      "train.groupsize is not a known key; did you mean train.groupSize?",
      'workers must be "auto" or 1..256, got 0',
      'store must be sqlite:<file>, postgres://… or http://…, got "mysql://x"',
      "kernell is not a known key; did you mean kernel?",
      "env.size must be 1..9, got 12",
      "env.sise is not a known key; did you mean env.size?",
    ]);
  });

  it("needs env, and nothing else", async () => {
    expect(await mistakesOf("")).toBe("/my.yaml: env must be an object, got nothing");
    expect(await mistakesOf("env: {}")).toContain("env must have either type (a shipped environment) or module");
    expect(await mistakesOf("- env")).toContain("a config must be an object");
  });

  it("is told the line and column where it is no YAML", async () => {
    expect(await mistakesOf("env: { type: sql }\ntrain: [1\n")).toMatch(/^\/my\.yaml:3:1: /);
    expect(await mistakesOf("workers: 1\nworkers: 2\n")).toBe("/my.yaml:2:1: Map keys must be unique");
    expect(await mistakesOf("workers: *nobody\n")).toContain("Unresolved alias");
    expect(await mistakesOf('{"workers": 1,}', [], "my.json")).toMatch(/my\.json is not JSON: .*line 1 column 15/);
  });

  it("is told that its file is missing", async () => {
    await expect(loadConfig({ file: "/nowhere/my.yaml" })).rejects.toThrow("got /nowhere/my.yaml: it does not exist");
  });

  it("is told which environments there are", async () => {
    expect(await mistakesOf("env: { type: sqll }")).toContain('got "sqll"; did you mean sql?');
    expect(await mistakesOf("env: { module: ./none.mjs }")).toContain('/none.mjs", which does not exist');
  });

  it("is told what an environment module must be", async () => {
    const folder = folderWith({ "none.mjs": "export const x = 1;", "broken.mjs": "throw new Error('oh no');" });
    const choose = (module: string) => resolveConfig({ env: { module } }, { baseDir: folder });
    await expect(choose("none.mjs")).rejects.toThrow("env.module must export by default what defineEnv");
    await expect(choose("broken.mjs")).rejects.toThrow("broken.mjs could not be loaded: oh no");
    const commonJs = folderWith({ "package.json": '{"type":"commonjs"}', "env.ts": "export default 1;" });
    await expect(resolveConfig({ env: { module: "env.ts" } }, { baseDir: commonJs })).rejects.toThrow(InputError);
  });

  it("is refused unknown options by an environment whose schema would drop them", async () => {
    const lax = environmentModule.replace("strictObject", "object");
    const folder = folderWith({ "lax.mjs": lax });
    const config = resolveConfig({ env: { module: "lax.mjs", sise: 1 } }, { baseDir: folder });
    await expect(config).rejects.toThrow("env.sise is not a known key; did you mean env.size?");
  });
});

it("whatever a config holds, it is accepted or refused with an InputError", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.constantFrom("env", "kernel", "train", "workers", "model", "x"), fc.jsonValue()),
      async (config) => {
        const error = await resolveConfig(config).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(InputError);
      },
    ),
    { numRuns: 50, seed: 1 },
  );
});
