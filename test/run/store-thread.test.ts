import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FaradayError } from "../../src/core/errors.ts";
import { openRunStore, StoreThread } from "../../src/run/store-thread.ts";
import { openStore } from "../../src/store/open.ts";
import { storeContract } from "../store/contract.ts";
import { Recorder } from "../store/recorder.ts";
import { sampleBatch } from "../store/samples.ts";

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
