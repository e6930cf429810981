import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FaradayError, InputError } from "../../../src/core/errors.ts";
import { HttpStore, type HttpStoreOptions } from "../../../src/store/http/http-store.ts";
import { StoreServer } from "../../../src/store/http/store-server.ts";
import { Tokens } from "../../../src/store/http/tokens.ts";
import { openStore } from "../../../src/store/open.ts";
import { storeContract } from "../contract.ts";
import { queueContract } from "../queue-contract.ts";
import { Recorder } from "../recorder.ts";
import { sampleBatch, sampleWeights } from "../samples.ts";
import { weightsContract } from "../weights-contract.ts";
import { forgetfulProxy } from "./forgetful-proxy.ts";
import { ServedPlace, silent } from "./served-place.ts";

const quick = { retryMs: [], outageMs: 5000, logger: silent };

const newPlace = async () => {
  const place = new ServedPlace();
  const url = await place.start();
  return { open: () => HttpStore.open(url, { baseDir: place.folder }), [Symbol.asyncDispose]: () => place.stop() };
};
storeContract("HTTP", newPlace);
weightsContract("HTTP", newPlace);

queueContract("HTTP", async () => {
  let place: ServedPlace | undefined;
  return {
    open: async (now) => {
      place ??= new ServedPlace(now);
      return await HttpStore.open(await place.start(), { baseDir: place.folder });
    },
    [Symbol.asyncDispose]: async () => await place?.[Symbol.asyncDispose](),
  };
});

describe("an outage of the store", () => {
  let place: ServedPlace;
  let url: string;
  beforeEach(async () => {
    place = new ServedPlace();
    url = await place.start();
  });
  afterEach(() => place[Symbol.asyncDispose]());

  const open = (options: Partial<HttpStoreOptions> = {}) =>
    HttpStore.open(url, { baseDir: place.folder, ...quick, ...options });
  const waiting = () => readdirSync(join(place.folder, "store-buffer"));
  const batches = (count: number) => {
    const recorder = new Recorder(1);
    return Array.from({ length: count }, (_, iteration) => sampleBatch(recorder, { iteration }));
  };

  it("loses and doubles nothing: batches wait on disk, and come in their order", async () => {
    await using store = await open();
    await store.beginRun({ id: "run-1", config: {} });
    const [first, second, third] = batches(3) as [never, never, never];
    await store.storeBatch(first);
    await place.stop();
    await store.storeBatch(second);
    await store.storeBatch(third);
    await store.storeWeights(sampleWeights());
    expect(waiting()).toHaveLength(3);
    await place.start();
    expect((await store.iterations("run-1")).map(({ iteration }) => iteration)).toEqual([0, 1, 2]);
    expect(await store.getResourcesById("run-1:weights:2")).toMatchObject({ version: 1 });
    expect(waiting()).toEqual([]);
  });

  it("and a crash of the trainer: what waits on disk is sent by who opens the store next", async () => {
    const crashed = await open({ outageMs: 0 });
    await crashed.beginRun({ id: "run-1", config: {} });
    await place.stop();
    for (const batch of batches(2)) await crashed.storeBatch(batch);
    await crashed.endRun({ id: "run-1", status: "failed" });
    await crashed[Symbol.asyncDispose]();
    expect(waiting()).toHaveLength(3);
    await place.start();
    await using resumed = await open();
    expect(await resumed.iterations("run-1")).toHaveLength(2);
    expect(await resumed.runs()).toMatchObject([{ id: "run-1", status: "failed" }]);
    expect(waiting()).toEqual([]);
  });

  it("a batch whose answer was lost is stored once; another one in its place is refused", async () => {
    await using store = await open();
    await store.beginRun({ id: "run-1", config: {} });
    const [first] = batches(1) as [never];
    await store.storeBatch(first);
    // As if the answer had not come: it waits on disk, though the store has it.
    await place.stop();
    await store.storeBatch(first);
    await place.start();
    expect(await store.iterations("run-1")).toHaveLength(1);
    await place.stop();
    await store.storeBatch({ ...(first as ReturnType<typeof sampleBatch>), metrics: { accuracy: 0 } });
    await place.start();
    await expect(store.iterations("run-1")).rejects.toThrow(/refuses what was kept for it/);
    expect(waiting()).toEqual([expect.stringMatching(/^rejected-.*storeBatch\.json$/)]);
  });

  it("rollouts whose answer was lost are enqueued once", async () => {
    await using proxy = await forgetfulProxy(url);
    await using store = await HttpStore.open(proxy.url, { baseDir: place.folder, ...quick, retryMs: [1] });
    proxy.forgetNext();
    const queued = await store.enqueueRollouts([{ input: 1 }, { input: 2 }]);
    proxy.forgetNext();
    const started = await store.startRollout({ input: 3 });
    const { items } = await store.queryRollouts();
    expect(items).toMatchObject([...queued, started].map(({ rollout_id, input }) => ({ rollout_id, input })));
    expect(proxy.forgotten).toBe(2);
  });

  it("ends with an error that says where things are, once it is too long or there is too much", async () => {
    await using store = await open({ outageMs: 50, bufferBytesMax: 100 });
    await store.beginRun({ id: "run-1", config: {} });
    await place.stop();
    const [first, second] = batches(2) as [never, never];
    await store.storeBatch(first);
    await expect(store.storeBatch(second)).rejects.toThrow(
      /does not answer; 1 records that it has not wait in .*store-buffer/,
    );
    await expect(store.iterations("run-1")).rejects.toThrow(FaradayError);
    await expect(open()).rejects.toThrow(/cannot be reached/);
    await place.start();
  });

  it("leaves no folder where there was none", async () => {
    await using store = await open();
    await store.beginRun({ id: "run-1", config: {} });
    expect(existsSync(join(place.folder, "store-buffer"))).toBe(false);
  });
});

describe("a token", () => {
  it("is taken from the environment or the URL, and its lack is told", async () => {
    const token = "writer-0123456789abcdef";
    await using place = new ServedPlace();
    await using store = await openStore("sqlite:faraday.db", { baseDir: place.folder });
    const tokens = Tokens.of([`write ${token}`]);
    await using server = await StoreServer.listen({ store, port: 0, tokens });
    const options = { baseDir: place.folder };
    await expect(HttpStore.open(server.url, options)).rejects.toThrow(InputError);
    await expect(HttpStore.open(server.url, options)).rejects.toThrow(/FARADAY_STORE_TOKEN/);
    await using named = await HttpStore.open(server.url.replace("//", `//${token}@`), options);
    expect((await named.statistics()).total_rollouts).toBe(0);
    process.env.FARADAY_STORE_TOKEN = token;
    try {
      await using opened = await openStore(server.url, options);
      expect(await opened.runs()).toEqual([]);
    } finally {
      delete process.env.FARADAY_STORE_TOKEN;
    }
  });
});
