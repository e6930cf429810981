import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { defaultConfigFile, loadConfig } from "../../src/config/load-config.ts";
import { loadEnvironment } from "../../src/run/load-environment.ts";
import { train } from "../../src/run/train.ts";
import { StoreServer } from "../../src/store/http/store-server.ts";
import { openStore } from "../../src/store/open.ts";
import { faraday } from "../commands/run-cli.ts";
import { freshFolder } from "../run/chatter.ts";
import { newPostgresStore, server as postgres, skipReason } from "../store/postgres/postgres-place.ts";
import { exported, linesOf } from "./run.ts";

let out: string;
let config: Awaited<ReturnType<typeof loadConfig>>["config"];
beforeAll(async () => {
  out = join(freshFolder(), "run");
  const small = { "train.iterations": 1, "train.groupsPerBatch": 2, "train.groupSize": 4, "train.evalEpisodes": 8 };
  ({ config } = await loadConfig({ file: defaultConfigFile, overrides: { ...small, workers: 1 } }));
  await train({ config, out });
}, 120_000);

const textFormats = ["jsonl", "trl", "trl-completion", "trl-preference", "verifiers", "art"];

/** Each format of the run, as it comes out of a store and of its run directory. */
async function expectSame(url: string): Promise<void> {
  for (const format of textFormats) {
    const [here, there] = [await exported(out, format), await exported(url, format, "--run", "run")];
    expect(readFileSync(there, "utf8"), format).toBe(readFileSync(here, "utf8"));
  }
  expect(readFileSync(await exported(url, "parquet"))).toEqual(readFileSync(await exported(out, "parquet")));
}

describe("a run in a store gives what its run directory gives", () => {
  it("where a server has it", async () => {
    await using store = await openStore("sqlite:faraday.db", { baseDir: out, mustExist: true });
    await using server = await StoreServer.listen({ store, port: 0 });
    await expectSame(server.url);
  }, 120_000);

  it.skipIf(postgres === undefined)(
    `in PostgreSQL (skipped where ${skipReason})`,
    async () => {
      const { url, drop } = newPostgresStore();
      const copied = await faraday(["store", "copy", `sqlite:${join(out, "faraday.db")}`, url]);
      expect(copied).toMatchObject({ exitCode: 0, stderr: "" });
      await expectSame(url);
      await drop();
    },
    120_000,
  );
});

it("a store that does not answer is an error that says so", async () => {
  const { exitCode, stderr } = await faraday(["export", "http://127.0.0.1:1", "--format", "jsonl", "--out", "-"]);
  expect({ exitCode, stderr }).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/127\.0\.0\.1:1 cannot be reached/),
  });
});

it("verifiers has the gold answers of the tasks", async () => {
  const { tasks, answerOf } = await loadEnvironment(config);
  const answers = new Map(tasks.map((task) => [task.id, answerOf?.(task)]));
  const lines = linesOf<{ task: string; answer: string }>(await exported(out, "verifiers"));
  expect(lines.length).toBeGreaterThan(20);
  for (const { task, answer } of lines) expect(answer).toBe(answers.get(task));
  expect(lines[0]?.answer).toMatch(/^(?:SELECT|UPDATE|INSERT)\b/);
});
