import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { knownLinks } from "../../src/audit/line-links.ts";
import { FaradayError } from "../../src/core/errors.ts";
import { StoreHost, type StoreTask } from "../../src/run/store-host.ts";
import { openRunStore, StoreThread } from "../../src/run/store-thread.ts";
import type { BatchRecord } from "../../src/store/lightning-store.ts";
import { openStore } from "../../src/store/open.ts";
import { storeContract } from "../store/contract.ts";
import { Recorder } from "../store/recorder.ts";
import { inTree, sampleBatch, sampleEpisode } from "../store/samples.ts";

const url = "sqlite:faraday.db";

storeContract("SQLite with a thread that writes", async () => {
  const baseDir = mkdtempSync(join(tmpdir(), "faraday-store-"));
  return {
    open: () => openRunStore(url, { baseDir }),
    [Symbol.asyncDispose]: async () => rmSync(baseDir, { recursive: true }),
  };
});

let baseDir: string;
beforeEach(async () => {
  baseDir = mkdtempSync(join(tmpdir(), "faraday-store-"));
  await using store = await openStore(url, { baseDir });
  await store.beginRun({ id: "run-1", config: {} });
});
afterEach(() => rmSync(baseDir, { recursive: true }));

async function storedIterations(): Promise<readonly number[]> {
  await using store = await openStore(url, { baseDir });
  return (await store.iterations("run-1")).map(({ iteration }) => iteration);
}

it("closing waits for the batches that were brought, which are stored in their order", async () => {
  const store = await openRunStore(url, { baseDir });
  const recorder = new Recorder(1);
  const brought = [0, 1, 2].map((iteration) => store.storeBatch(sampleBatch(recorder, { iteration })));
  await store[Symbol.asyncDispose]();
  await Promise.all(brought);
  expect(await storedIterations()).toEqual([0, 1, 2]);
});

it("a batch that it tells of is on disk when the process is killed", async () => {
  const writer = new URL("./killed-run-writer.ts", import.meta.url);
  const child = spawnSync(process.execPath, [writer.pathname, baseDir], { encoding: "utf8" });
  expect(child.stderr).toBe("");
  expect(child.signal).toBe("SIGKILL");
  expect(await storedIterations()).toEqual([0]);
});

describe("a batch that is too large for one message", () => {
  /** 2,500 episodes, and three segments of 3 MB. */
  function largeBatch(): BatchRecord {
    const batch = sampleBatch(new Recorder(1));
    const episodes = Array.from({ length: 2_500 }, (_, group) => sampleEpisode({ group }, { reward: group }));
    const segments = [2, 3, 4].map((worker) => {
      const recorder = new Recorder(worker);
      for (let step = 0; step < 3_000; step++) {
        const args = { sql: "x".repeat(1_000) };
        recorder.record({ kind: "intent", episode: `train-0-${worker}-0`, step, syscall: "sql.query", args });
      }
      return recorder.seal();
    });
    return { ...batch, episodes, audit: inTree(segments), recorded: { attempts: 0, syscalls: 9_000, violations: 0 } };
  }

  it("is stored as it was brought, every episode and every segment", async () => {
    const batch = largeBatch();
    await using store = await openRunStore(url, { baseDir });
    await store.storeBatch(batch);
    expect(await store.episodes("run-1")).toEqual(batch.episodes);
    const audit = await store.audit("run-1");
    expect(audit.map(({ bytes }) => bytes)).toEqual(batch.audit.segments.map(({ bytes }) => bytes));
  });

  it("is not stored where a part of it is missing, and the next batch is", async () => {
    const host = new StoreHost({ url, baseDir });
    const batch = sampleBatch(new Recorder(1));
    const part: StoreTask = {
      ...{ kind: "part", from: { episodes: 0, segments: 0 } },
      ...{ episodes: largeBatch().episodes, segments: [], links: [] },
    };
    expect(await host.answer(part)).toBeNull();
    const links = batch.audit.segments.map(({ bytes }) => knownLinks(bytes));
    const refused = await host.answer({ kind: "batch", from: { episodes: 3_000, segments: 0 }, links, batch });
    expect(refused?.message).toMatch(/follows 3000 episodes and 0 segments, and 2500 and 0 have come$/);
    expect(await storedIterations()).toEqual([]);
    expect(await host.answer({ kind: "batch", from: { episodes: 0, segments: 0 }, links, batch })).toBeNull();
    expect(await host.answer({ kind: "close" })).toBeNull();
    await using store = await openStore(url, { baseDir });
    expect(await store.episodes("run-1")).toEqual(batch.episodes);
  });
});

describe("a thread that ends in the middle", () => {
  it.each([
    ["before it has written", "before", []],
    ["after it has written, but not told of it", "after", [0]],
  ] as const)("%s is an error that says so", async (_when, end, stored) => {
    await using thread = new StoreThread({ url, baseDir }, new URL(`./ending-store-${end}.ts`, import.meta.url));
    const refusal = expect(thread.storeBatch(sampleBatch(new Recorder(1)))).rejects;
    await refusal.toThrow(
      /^store sqlite:faraday.db: the thread that writes it failed before it told that batch train 0/,
    );
    await refusal.toBeInstanceOf(FaradayError);
    expect(await storedIterations()).toEqual(stored);
  });
});
