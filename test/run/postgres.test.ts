import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { defaultConfigFile, loadConfig } from "../../src/config/load-config.ts";
import { train } from "../../src/run/train.ts";
import { faraday } from "../commands/run-cli.ts";
import { newPostgresStore, server, skipReason } from "../store/postgres/postgres-place.ts";

it.skipIf(server === undefined)(
  `a run whose store is in PostgreSQL is stopped, gone on with, and verified (skipped where ${skipReason})`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "faraday-test-"));
    const { url, drop } = newPostgresStore();
    const small = { "train.iterations": 3, "train.groupsPerBatch": 4, "train.groupSize": 4, "train.evalEpisodes": 8 };
    const overrides = { ...small, store: url, workers: 1 };
    const { config } = await loadConfig({ file: defaultConfigFile, overrides });
    const out = join(folder, "run");
    const stop = new AbortController();
    const stopped = await train({
      ...{ config, out, signal: stop.signal },
      events: ({ type }) => type === "iteration-end" && stop.abort(),
    });
    expect(stopped).toMatchObject({ status: "cancelled", iterations: 2 });
    const report = await train({ config, resume: out });
    expect(report).toMatchObject({ status: "succeeded", iterations: 3, episodes: 48 });
    expect(await faraday(["audit", "verify", out])).toMatchObject({ exitCode: 0, stderr: "" });
    await drop();
    rmSync(folder, { recursive: true });
  },
  120_000,
);
