import { cpSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadCheckpoint, saveCheckpoint } from "../../src/model/checkpoint.ts";
import { chatterConfig, chatterModule, chatterPolicy, freshFolder } from "../run/chatter.ts";
import { faraday } from "./run-cli.ts";

/** A bad input ends the command with exit code 2 and a few lines that say what and where, and leaves no run directory. */
async function expectRefused(args: readonly string[], message: RegExp, options: { out?: string } = {}): Promise<void> {
  const folder = freshFolder();
  const out = options.out ?? join(folder, "deep", "run");
  const { exitCode, stdout, stderr } = await faraday(["train", ...args, "--out", out]);
  expect({ exitCode, stdout, message: stderr }).toEqual({ exitCode: 2, stdout: "", message: stderr });
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n\s+at |internal error/);
  expect(stderr.trimEnd().split("\n").length).toBeLessThan(8);
  expect(readdirSync(folder)).toEqual([]);
}

/** A copy of a good checkpoint, broken by `change`. */
function brokenPolicy(change: (folder: string) => void): string {
  const folder = join(freshFolder(), "policy");
  cpSync(chatterPolicy(), folder, { recursive: true });
  change(folder);
  return folder;
}

function editJson(file: string, change: (json: Record<string, unknown>) => unknown): void {
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, "utf8")))));
}

function withCheckpoint(checkpoint: string, shape: Readonly<Record<string, number>> = {}): string {
  return chatterConfig({ model: { checkpoint, ...shape } });
}

function fileWith(name: string, text: string): string {
  const file = join(freshFolder(), name);
  writeFileSync(file, text);
  return file;
}

describe("tasks", () => {
  const task = { id: "one", prompt: "count", sql: "SELECT 1", split: "train" };
  const cases: readonly (readonly [string, string | null, RegExp])[] = [
    ["missing", null, /env\.tasks must be a readable JSONL file: .*tasks\.jsonl/],
    ["empty", "", /tasks\.jsonl: expected one task a line, but the file is empty/],
    ["no JSON", "{", /tasks\.jsonl has one bad line:\n {2}line 1: expected a JSON object/],
    ["a wrong split", JSON.stringify({ ...task, split: "dev" }), /line 1: split: /],
    ["the same id twice", `${JSON.stringify(task)}\n${JSON.stringify(task)}`, /line 2: id one is taken by line 1/],
    ["none for the test", JSON.stringify(task), /must have tasks in the split test, got none among 1/],
    ["none for training", JSON.stringify({ ...task, split: "test" }), /tasks in the split train, got none among 1/],
  ];
  it.each(cases)("%s", async (_, text, message) => {
    const file = text === null ? join(freshFolder(), "tasks.jsonl") : fileWith("tasks.jsonl", text);
    await expectRefused(["--set", `env.tasks=${file}`], message);
  });
});

describe("an environment module", () => {
  const modules: readonly (readonly [string, string, RegExp])[] = [
    ["that throws when it is loaded", `load() { throw new Error("no robot"); }`, /could not be loaded: no robot/],
    ["without tasks", `load: () => ({ maxTurns: 1, start() {} })`, /tasks must be a list/],
    [
      "with tasks that are none",
      `load: () => ({ tasks: [{ id: "a", prompt: 1, split: "train" }], maxTurns: 1, start() {} })`,
      /tasks\.0\.prompt must be a string, got 1/,
    ],
    [
      "with the same id twice",
      `load: () => ({ tasks: ["train", "test"].map((split) => ({ id: "a", prompt: "b", split })), maxTurns: 1, start() {} })`,
      /ids of their own, got a twice/,
    ],
    [
      "that asks for a driver that is none",
      `load: () => ({ tasks: ["train", "test"].map((split) => ({ id: split, prompt: "b", split })), maxTurns: 1,
        driverDefaults: { robot: {} }, start() {} })`,
      /the kernel has no driver robot/,
    ],
  ];
  it.each(modules)("%s", async (_, load, message) => {
    const zod = import.meta.resolve("zod");
    const source = `import { z } from ${JSON.stringify(zod)};
      export default { name: "broken", options: z.object({}), ${load} };`;
    await expectRefused([chatterConfig({ env: { module: fileWith("env.mjs", source) } })], message);
  });

  it("that does not exist", () =>
    expectRefused([chatterConfig({ env: { module: "none.ts" } })], /env\.module .*none\.ts/));
});

describe("a database", () => {
  const cases: readonly (readonly [string, string | null, string, RegExp])[] = [
    ["missing", null, "shop.sql", /shop\.sql/],
    ["malformed as SQL", "CREATE TABEL users (id)", "shop.sql", /shop\.sql.*syntax error/s],
    ["malformed as a database", "no database at all, but long enough to be one", "shop.sqlite", /shop\.sqlite/],
  ];
  it.each(cases)("%s", async (_, text, name, message) => {
    const file = text === null ? join(freshFolder(), name) : fileWith(name, text);
    await expectRefused(["--set", `kernel.drivers.sql.database=${file}`], message);
  });
});

describe("a checkpoint", () => {
  it("missing", () => expectRefused([withCheckpoint("nowhere")], /cannot read checkpoint file .*nowhere.config\.json/));

  it("not named at all", () =>
    expectRefused([chatterConfig({ model: {} })], /model\.checkpoint must name the base policy's folder/));

  it.each([
    ["cut short", (file: string) => truncateSync(file, 200), /model\.safetensors: expected/],
    ["empty", (file: string) => truncateSync(file, 0), /model\.safetensors: expected .* got only 0 bytes/],
  ] as const)("with weights %s", (_, change, message) => {
    const folder = brokenPolicy((policy) => change(join(policy, "model.safetensors")));
    return expectRefused([withCheckpoint(folder)], message);
  });

  it("with weights that are not numbers", () => {
    const folder = brokenPolicy((policy) => {
      const checkpoint = loadCheckpoint(policy);
      saveCheckpoint(policy, { ...checkpoint, weights: checkpoint.weights.fill(Number.NaN, 3, 4) });
    });
    return expectRefused(
      [withCheckpoint(folder)],
      /model\.safetensors: expected finite weights, got NaN .* in embedding/,
    );
  });

  it.each([
    ["another width", { width: 16 }, /expected embedding of shape/],
    ["more layers", { layers: 2 }, /expected layers\.1\.attention\.norm of shape .* got none/],
    ["a size beyond all memory", { layers: 64, width: 4096 }, /expected embedding of shape/],
    ["heads that do not divide it", { heads: 3 }, /config\.json: expected width 8 to be an even multiple of heads 3/],
    ["heads of odd width", { heads: 8 }, /config\.json: expected width 8 to be an even multiple of heads 8/],
    ["more of the vocabulary", { vocabularySize: 99 }, /tokenizer\.json: expected 99 tokens/],
    ["a size that is none", { layers: -1 }, /config\.json: not a policy model's config: layers/],
    ["another kind of model", { model_type: "llama" }, /config\.json: not a policy model's config: model_type/],
  ] as const)("whose config says %s", (_, change, message) => {
    const folder = brokenPolicy((policy) => editJson(join(policy, "config.json"), (json) => ({ ...json, ...change })));
    return expectRefused([withCheckpoint(folder)], message);
  });

  it.each([
    ["no JSON", "{", /config\.json: expected JSON/],
    ["no object", "[]", /config\.json: not a policy model's config/],
  ])("whose config is %s", (_, text, message) => {
    const folder = brokenPolicy((policy) => writeFileSync(join(policy, "config.json"), text));
    return expectRefused([withCheckpoint(folder)], message);
  });

  it.each([
    ["of another kind", { model: { type: "WordPiece", vocab: {} } }],
    ["without our special tokens", { model: { type: "BPE", vocab: { a: 0, b: 1 }, merges: [] } }],
    ["with wild ids", { model: { type: "BPE", vocab: { a: 1e9, b: -1 }, merges: [] } }],
    ["of nothing", null],
  ])("with a tokenizer %s", (_, tokenizer) => {
    const folder = brokenPolicy((policy) => writeFileSync(join(policy, "tokenizer.json"), JSON.stringify(tokenizer)));
    return expectRefused([withCheckpoint(folder)], /tokenizer\.json: expected/);
  });

  it("that does not agree with the config's shape", () =>
    expectRefused(
      [withCheckpoint(chatterPolicy(), { width: 16 })],
      /model\.width must agree with .* which has 8, got 16/,
    ));

  it("that cannot read the longest prompt", () => {
    const folder = brokenPolicy((policy) =>
      editJson(join(policy, "config.json"), (json) => ({ ...json, promptTokens: 3 })),
    );
    return expectRefused(
      [withCheckpoint(folder)],
      /prompts of up to 3 tokens, task talk-\d+ has \d+; make a base policy/,
    );
  });
});

describe("a config", () => {
  it("missing", () => expectRefused(["nowhere.yaml"], /config must be .* got .*nowhere\.yaml: it does not exist/));
  it("malformed", () => expectRefused([fileWith("c.yaml", "env: [")], /c\.yaml:1:7: /));
  it("with wrong values", () =>
    expectRefused(
      [chatterConfig({ train: { groupSize: 1, iterations: -1 } }), "--workers", "0"],
      /3 mistakes:[\s\S]*train\.iterations must be[\s\S]*train\.groupSize must be[\s\S]*workers must be/,
    ));
  it("with options of the environment that it does not have", () =>
    expectRefused([chatterConfig({ env: { module: chatterModule, volume: 11 } })], /env\.volume is not a known key/));
});

describe("a run directory", () => {
  it("under a file", async () => {
    const file = fileWith("file", "");
    await expectRefused([chatterConfig()], /cannot make the run directory .*file.run: .*--out/, {
      out: join(file, "run"),
    });
  });

  it("where nothing can be made", () =>
    expectRefused([chatterConfig()], /cannot make the run directory .proc.none/, { out: "/proc/none/run" }));

  it("that is a file", () =>
    expectRefused([chatterConfig()], /cannot make the run directory/, { out: fileWith("f", "") }));

  it("that holds something", async () => {
    const out = join(freshFolder(), "run");
    mkdirSync(out);
    writeFileSync(join(out, "notes.txt"), "mine");
    await expectRefused([chatterConfig()], /must be new or empty, got .*: it holds notes\.txt; name another/, { out });
    expect(readdirSync(out)).toEqual(["notes.txt"]);
  });

  it("that a run is using", async () => {
    const out = join(freshFolder(), "run");
    mkdirSync(out);
    writeFileSync(join(out, "run.lock"), "1\n");
    await expectRefused([chatterConfig()], /a run is using it, or was killed in it/, { out });
  });
});

describe("a store", () => {
  it.each([
    ["in a folder that does not exist", (): string => "sqlite:none/faraday.db", /there is no directory/],
    [
      "that is no database",
      (): string => `sqlite:${fileWith("s.db", "these are not the bytes of a database".repeat(9))}`,
      /s\.db is not an/,
    ],
    ["that is not understood", (): string => "mysql://localhost", /store must be sqlite:<file>/],
  ] as const)("%s", async (_, store, message) => {
    await expectRefused([chatterConfig({ store: store() })], message);
    const empty = freshFolder();
    mkdirSync(join(empty, "run"));
    await expectRefused([chatterConfig({ store: store() })], message, { out: join(empty, "run") });
    expect(readdirSync(join(empty, "run"))).toEqual([]);
  });
});

it("with --json, the error is the one document on stdout", async () => {
  const { exitCode, stdout } = await faraday(["train", chatterConfig(), "--workers", "0", "--json"]);
  expect(exitCode).toBe(2);
  expect(JSON.parse(stdout)).toEqual({ error: { message: expect.stringContaining("workers"), exitCode: 2 } });
});
