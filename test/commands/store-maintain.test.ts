import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../../src/store/open.ts";
import { newPostgresStore, server, skipReason } from "../store/postgres/postgres-place.ts";
import { sampleSpan } from "../store/queue-samples.ts";
import { Recorder } from "../store/recorder.ts";
import { sampleBatch, sampleWeights } from "../store/samples.ts";
import { faraday } from "./run-cli.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "faraday-store-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const urlOf = (name: string) => `sqlite:${join(folder, name)}`;

/** Everything that a store gives of run-1. */
async function everything(url: string) {
  await using store = await openStore(url, { baseDir: "/", mustExist: true });
  const tree: unknown[] = [];
  for await (const segment of store.auditTree("run-1")) tree.push(segment);
  return {
    runs: await store.runs(),
    iterations: await store.iterations("run-1"),
    episodes: await store.episodes("run-1"),
    violations: await store.violations("run-1"),
    spans: await store.spans("run-1"),
    spanCount: await store.spanCount("run-1"),
    audit: await store.audit("run-1"),
    checkpoints: await store.checkpoints("run-1"),
    trajectories: await store.trajectories("run-1", "train", 0),
    rollouts: await store.queryRollouts(),
    workers: await store.queryWorkers(),
    resources: await store.queryResources(),
    tree,
  };
}

async function filledStore(url: string): Promise<void> {
  await using store = await openStore(url, { baseDir: "/" });
  for (const run of ["run-0", "run-1"]) {
    await store.beginRun({ id: run, config: {} });
    const trajectories = {
      offsets: new Uint32Array([0, 2, 3]),
      tokens: new Int32Array([7, -1, 70_000]),
      chosen: new Uint8Array([0, 1, 1]),
      logProbabilities: new Float32Array([0, -0.25, -3.5]),
    };
    await store.storeBatch({ ...sampleBatch(new Recorder(1), { run }), trajectories });
    await store.storeWeights(sampleWeights({ run }));
    await store.endRun({ id: run, status: "succeeded", report: { after: 1 } });
  }
  await store.addResources({ weights: { resource_type: "llm", endpoint: "e", model: "m" } });
  const { rollout_id, attempt } = await store.startRollout({ input: { text: "a\u0000b\t\\N" }, worker_id: "w1" });
  await store.addSpan(sampleSpan(attempt));
  await store.updateRollout(rollout_id, { metadata: { done: true } });
  await store.enqueueRollout({ input: 2 });
}

it("a store of version 2 is brought up to date, and every row of it is kept", async () => {
  {
    using old = new DatabaseSync(join(folder, "old.db"));
    old.exec(readFileSync(new URL("../fixtures/store-version-2.sql", import.meta.url), "utf8"));
  }
  const { exitCode, stdout } = await faraday(["store", "migrate", urlOf("old.db"), "--json"]);
  expect({ exitCode, ...JSON.parse(stdout) }).toEqual({ exitCode: 0, schemaVersion: 4 });
  const { iterations, episodes, violations, spans, spanCount, audit, checkpoints } = await everything(urlOf("old.db"));
  const recorder = new Recorder(1);
  const batches = [sampleBatch(recorder), sampleBatch(recorder, { iteration: 1, emitViolations: false })];
  expect(iterations.map(({ iteration }) => iteration)).toEqual([0, 1]);
  expect(episodes).toEqual(batches.flatMap((batch) => batch.episodes));
  expect(violations).toHaveLength(2);
  expect([spans.length, spanCount]).toEqual([13, 13]);
  expect(audit.map(({ bytes }) => bytes)).toEqual(
    batches.flatMap((batch) => batch.audit.segments.map(({ bytes }) => bytes)),
  );
  expect(checkpoints.map(({ size }) => size)).toEqual([12, 24]);
  await using store = await openStore(urlOf("old.db"), { baseDir: "/" });
  await store.storeBatch(sampleBatch(recorder, { iteration: 2 }));
  expect(await store.spanCount("run-1")).toBe(20);
});

it("prune keeps the newest runs, and vacuum gives the space of the others back", async () => {
  await filledStore(urlOf("a.db"));
  const kept = await everything(urlOf("a.db"));
  const pruned = await faraday(["store", "prune", urlOf("a.db"), "--keep", "1", "--json"]);
  expect(JSON.parse(pruned.stdout)).toEqual({ removed: ["run-0"] });
  const { runs, rollouts: _, resources, ...rest } = await everything(urlOf("a.db"));
  const { runs: __, rollouts: ___, resources: all, ...before } = kept;
  expect(runs.map(({ id }) => id)).toEqual(["run-1"]);
  expect(rest).toEqual(before);
  expect(resources.items).toEqual(all.items.filter(({ resources_id }) => resources_id !== "run-0:weights:2"));
  expect(resources.items).toHaveLength(2);
  const { after } = JSON.parse((await faraday(["store", "vacuum", urlOf("a.db"), "--json"])).stdout);
  const { stdout } = await faraday(["store", "stats", urlOf("a.db"), "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({
    bytes: after,
    runs: 1,
    batches: 1,
    episodes: 2,
    spans: 8,
    rollouts: 2,
    resources: 2,
  });
});

describe("copy", () => {
  it.each([
    [["store", "copy", "sqlite:none.db", "sqlite:copy.db"], /none\.db does not exist/],
    [["store", "copy", "sqlite:none.db"], /needs FROM and TO/],
    [["store", "prune", "sqlite:none.db"], /needs --keep/],
    [["store", "melt"], /no action "melt"/],
  ])("%j says what is wrong", async (line, message) => {
    const { exitCode, stderr } = await faraday(line);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });

  it.skipIf(server === undefined)(
    `to PostgreSQL and back changes nothing, and what is copied can be gone on with (skipped where ${skipReason})`,
    async () => {
      await filledStore(urlOf("a.db"));
      const { url, drop } = newPostgresStore();
      expect((await faraday(["store", "copy", urlOf("a.db"), url])).stderr).toBe("");
      expect(await everything(url)).toEqual(await everything(urlOf("a.db")));
      expect((await faraday(["store", "copy", url, urlOf("b.db")])).stderr).toBe("");
      expect(await everything(urlOf("b.db"))).toEqual(await everything(urlOf("a.db")));
      {
        await using store = await openStore(url, { baseDir: "/" });
        await store.beginRun({ id: "run-2", config: {} });
        await store.storeBatch(sampleBatch(new Recorder(1), { run: "run-2" }));
        await store.enqueueRollout({ input: 3 });
        const inputs = await store.dequeueRollouts({ limit: 5 });
        expect(inputs.map(({ input }) => input)).toEqual([2, 3]);
      }
      const full = await faraday(["store", "copy", url, urlOf("b.db")]);
      expect(full).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/must be empty to be copied to/) });
      await drop();
    },
  );
});
