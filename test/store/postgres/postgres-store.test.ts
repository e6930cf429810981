import { describe, expect, it } from "vitest";
import { InputError } from "../../../src/core/errors.ts";
import { openStore } from "../../../src/store/open.ts";
import { storeContract } from "../contract.ts";
import { queueContract } from "../queue-contract.ts";
import { Recorder } from "../recorder.ts";
import { sampleBatch } from "../samples.ts";
import { weightsContract } from "../weights-contract.ts";
import { type Cut, CuttingProxy } from "./cutting-proxy.ts";
import { ask, newPostgresStore, server, skipReason } from "./postgres-place.ts";

describe.skipIf(server === undefined)(`on PostgreSQL (skipped where ${skipReason})`, () => {
  const newPlace = async () => {
    const { url, drop } = newPostgresStore();
    return { open: () => openStore(url, { baseDir: "/" }), [Symbol.asyncDispose]: drop };
  };
  storeContract("PostgreSQL", newPlace);
  weightsContract("PostgreSQL", newPlace);

  queueContract("PostgreSQL", async () => {
    const { url, drop } = newPostgresStore();
    return { open: (now) => openStore(url, { baseDir: "/", now }), [Symbol.asyncDispose]: drop };
  });

  it("answers what a violation cost by one query", async () => {
    const { url, drop } = newPostgresStore();
    const schema = new URL(url).searchParams.get("schema");
    {
      await using store = await openStore(url, { baseDir: "/" });
      await store.beginRun({ id: "run-1", config: {} });
      await store.storeBatch(sampleBatch(new Recorder(1)));
    }
    const query = `SELECT episode, statement, penalty, weights FROM ${schema}.violation_report WHERE run = 'run-1'`;
    expect(await ask(query)).toEqual([
      { episode: "train-0-0-1", statement: "DELETE FROM users", penalty: 50, weights: "2" },
    ]);
    expect(await ask(`SELECT accuracy, mean_cost FROM ${schema}.iterations`)).toEqual([
      { accuracy: 0.5, mean_cost: 25 },
    ]);
    await drop();
  });

  it.each<[readonly Cut[]]>([[["after"]], [["before"]], [["before", "after"]], [["after", "before"]]])(
    "stores once what had its connection cut before or after its commit: %j",
    async (cuts) => {
      await using proxy = await CuttingProxy.start(server as string);
      const { url, drop } = newPostgresStore();
      {
        const through = `${proxy.url}${new URL(url).search}`;
        await using store = await openStore(through, { baseDir: "/", outageMs: 60_000 });
        await store.beginRun({ id: "run-1", config: {} });
        const batch = sampleBatch(new Recorder(1));
        proxy.cutNext(...cuts);
        await store.storeBatch(batch);
        expect(proxy.cutCount).toBe(cuts.length);
        await expect(store.storeBatch(batch)).rejects.toThrow(/is already in the store/);
        proxy.cutNext(...cuts);
        await store.endRun({ id: "run-1", status: "succeeded" });
        await expect(store.endRun({ id: "run-1", status: "failed" })).rejects.toThrow(/is not running/);
        expect(await store.runs()).toMatchObject([{ status: "succeeded" }]);
        expect(await store.episodes("run-1")).toEqual(batch.episodes);
        expect(await store.iterations("run-1")).toHaveLength(1);
      }
      await drop();
    },
  );

  it("tells that a connection was cut at once where it is not to wait, and has another for what comes then", async () => {
    await using proxy = await CuttingProxy.start(server as string);
    const { url, drop } = newPostgresStore();
    {
      await using store = await openStore(`${proxy.url}${new URL(url).search}`, { baseDir: "/" });
      proxy.cutNext("after");
      await expect(store.beginRun({ id: "run-1", config: {} })).rejects.toThrow(
        /could not begin a run: .*(?:terminated|ECONNRESET)/,
      );
      proxy.cutNext("before");
      await expect(store.enqueueRollout({ input: 1 })).rejects.toThrow(/could not enqueue rollouts: /);
      expect((await store.enqueueRollout({ input: 1 })).status).toBe("queuing");
      expect(await store.runs()).toMatchObject([{ id: "run-1" }]);
    }
    await drop();
  });

  it("is closed where the server neither answers nor hangs up", async () => {
    await using proxy = await CuttingProxy.start(server as string);
    const { url, drop } = newPostgresStore();
    const store = await openStore(`${proxy.url}${new URL(url).search}`, { baseDir: "/", outageMs: 60_000 });
    await store.beginRun({ id: "run-1", config: {} });
    proxy.isSilent = true;
    const storing = expect(store.storeBatch(sampleBatch(new Recorder(1)))).rejects.toThrow(/does not answer/);
    await store[Symbol.asyncDispose]();
    await storing;
    await drop();
  }, 30_000);

  it("refuses a schema newer than its own, and makes no store where one must exist", async () => {
    const { url, drop } = newPostgresStore();
    await expect(openStore(url, { baseDir: "/", mustExist: true })).rejects.toThrow(/does not exist/);
    await (await openStore(url, { baseDir: "/" }))[Symbol.asyncDispose]();
    await ask(`UPDATE ${new URL(url).searchParams.get("schema")}.faraday_schema SET version = 5`);
    const refusal = expect(openStore(url, { baseDir: "/" })).rejects;
    await refusal.toThrow(/schema version 5, newer than 4/);
    await refusal.toBeInstanceOf(InputError);
    await drop();
  });
});

it("says that a server cannot be reached, and keeps the password to itself", async () => {
  const opening = openStore("postgres://me:secret@127.0.0.1:1/db", { baseDir: "/" });
  await expect(opening).rejects.toThrow(/postgres:\/\/127\.0\.0\.1:1\/db cannot be opened/);
  await expect(opening).rejects.not.toThrow(/secret/);
});
