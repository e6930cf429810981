import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { faraday } from "../commands/run-cli.ts";
import { chatterConfig, freshFolder } from "./chatter.ts";
import { libraryScript } from "./import/library.ts";

const example = fileURLToPath(new URL("../../docs/examples/my-env.yaml", import.meta.url));
const small = ["pretrain.epochs=8", "model.width=16", "model.layers=1", "model.heads=2"];
const sets = small.flatMap((set) => ["--set", set]);
const policy = join(freshFolder(), "base-policy");
let metrics: Record<string, number> = {};

beforeAll(async () => {
  const { exitCode, stdout, stderr } = await faraday(["pretrain", example, ...sets, "--out", policy, "--json"]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  ({ metrics } = JSON.parse(stdout));
});

describe("faraday pretrain", () => {
  it("learns the demonstrations, and leaves a checkpoint with its figures", () => {
    expect(readdirSync(policy).sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
    expect(readdirSync(join(policy, ".."))).toEqual(["base-policy"]);
    const { provenance, width } = JSON.parse(readFileSync(join(policy, "config.json"), "utf8"));
    expect({ width, figures: provenance.figures }).toEqual({ width: 16, figures: metrics });
    expect(metrics.demonstrations).toBeGreaterThan(10);
  });

  it("makes the same weights of the same seed, and others of another", async () => {
    const again = async (...more: string[]) => {
      const out = join(freshFolder(), "policy");
      expect(await faraday(["pretrain", example, ...sets, "--out", out, ...more])).toMatchObject({ exitCode: 0 });
      return readFileSync(join(out, "model.safetensors"));
    };
    const weights = readFileSync(join(policy, "model.safetensors"));
    expect((await again()).equals(weights)).toBe(true);
    expect((await again("--seed", "2")).equals(weights)).toBe(false);
  });

  it("makes the same weights of few demonstrations on a database, whatever the number of workers", async () => {
    const folder = freshFolder();
    const task = (index: number) => {
      const split = index % 5 === 4 ? "val" : "train";
      return {
        id: `t${index}`,
        split,
        prompt: `books over ${index} pages`,
        sql: `SELECT title FROM book WHERE pages>${index}`,
      };
    };
    const lines = Array.from({ length: 20 }, (_, index) => JSON.stringify(task(index)));
    writeFileSync(join(folder, "tasks.jsonl"), lines.join("\n"));
    writeFileSync(join(folder, "library.sql"), libraryScript);
    const kernel = { drivers: { sql: { database: "library.sql" } } };
    writeFileSync(join(folder, "faraday.json"), JSON.stringify({ env: { type: "sql", tasks: "tasks.jsonl" }, kernel }));
    const weightsOf = async (workers: number) => {
      const out = join(folder, `policy-${workers}`);
      const changes = [...sets, "--set", "pretrain.epochs=2", "--set", `workers=${workers}`];
      const run = await faraday(["pretrain", join(folder, "faraday.json"), ...changes, "--out", out]);
      expect(run).toMatchObject({ exitCode: 0 });
      return readFileSync(join(out, "model.safetensors"));
    };
    expect((await weightsOf(1)).equals(await weightsOf(3))).toBe(true);
  });

  it("makes what train and eval take", async () => {
    const out = join(freshFolder(), "run");
    const train = ["iterations=1", "groupsPerBatch=2", "groupSize=4", "evalEpisodes=7"];
    const changes = [`model.checkpoint=${policy}`, ...train.map((set) => `train.${set}`), "workers=1"];
    const options = changes.flatMap((change) => ["--set", change]);
    const trained = await faraday(["train", example, ...options, "--out", out, "--json"]);
    expect(trained.exitCode).toBe(0);
    const { after } = JSON.parse(trained.stdout);
    // The same seed, tasks and weights as the run's own last measurement.
    const measured = await faraday(["eval", out, "--json"]);
    const { intervals, passAt, samples, temperature, ...rest } = JSON.parse(measured.stdout);
    expect(rest).toEqual({ split: "test", kernel: true, ...after });
    expect(Object.keys(intervals)).toEqual(["taskAccuracy", "violationRate", "undetectedRate"]);
    expect([passAt.length, samples, temperature]).toEqual([1, 1, 0.7]);
  });
});

describe("bad input to faraday pretrain ends it before any training, and leaves nothing", () => {
  async function expectRefused(args: readonly string[], message: RegExp, out = join(freshFolder(), "deep", "policy")) {
    const { exitCode, stdout, stderr } = await faraday(["pretrain", ...args, "--out", out]);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 2, stdout: "", stderr: expect.stringMatching(message) });
    expect(stderr).not.toMatch(/epoch 1|\n\s+at /);
  }

  it("no demonstrations", () => expectRefused([chatterConfig()], /pretrain needs training tasks with a demo/));

  it.each([
    ["model.contextTokens=16", /model\.contextTokens must hold every demonstration, got 16/],
    ["model={promptTokens: 24, contextTokens: 16}", /promptTokens 24 to be at most contextTokens 16/],
    ["model.width=18", /width 18 to be an even multiple of heads 4/],
    ["pretrain.epochs=0", /pretrain\.epochs must be/],
  ])("%s", async (set, message) => {
    const folder = freshFolder();
    await expectRefused([example, "--set", set], message, join(folder, "policy"));
    expect(readdirSync(folder)).toEqual([]);
  });

  it("prompts that are longer than the model may read", async () => {
    const tasks = join(freshFolder(), "tasks.jsonl");
    const prompt = "how many of the users that came last year have come back since";
    writeFileSync(tasks, JSON.stringify({ id: "a", prompt, sql: "SELECT 1", split: "train" }));
    await expectRefused(
      ["--set", `env.tasks=${tasks}`, "--set", "model.promptTokens=8"],
      /model\.promptTokens must hold every prompt, got 8 and one of \d+ tokens/,
    );
  });

  it("a folder under a file, or where nothing can be made", async () => {
    const file = join(freshFolder(), "file");
    writeFileSync(file, "");
    await expectRefused([example], /cannot make the folder .*; name another with --out/, join(file, "policy"));
    await expectRefused([example], /cannot make the folder .proc.none/, "/proc/none/policy");
  });

  it("a folder that holds something else", async () => {
    const folder = join(freshFolder(), "mine");
    mkdirSync(folder);
    writeFileSync(join(folder, "notes.txt"), "");
    await expectRefused([example], /--out must be a new folder or an old checkpoint/, folder);
    expect(existsSync(join(folder, "notes.txt"))).toBe(true);
  });
});
