import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { loadAuditKey } from "../../src/audit/audit-key.ts";
import type { ResolvedConfig } from "../../src/config/config-schema.ts";
import { FaradayError, InputError } from "../../src/core/errors.ts";
import { adviceOn } from "../../src/core/fault.ts";
import { advised } from "../../src/run/advised.ts";
import { beginRun } from "../../src/run/begin-run.ts";
import { loadEnvironment } from "../../src/run/load-environment.ts";
import { openPolicyModel } from "../../src/run/policy-model.ts";
import { resumeRun, tasksDigest } from "../../src/run/resume.ts";
import { RunDirectory } from "../../src/run/run-directory.ts";
import type { OpenRunStore } from "../../src/run/store-thread.ts";
import type { LightningStore } from "../../src/store/lightning-store.ts";
import { openStore } from "../../src/store/open.ts";
import { chatterTrainer, freshFolder, storedRun } from "./chatter.ts";

let stopped: { readonly config: ResolvedConfig; readonly out: string };

beforeAll(async () => {
  const abort = new AbortController();
  const { trainer, out } = chatterTrainer({
    signal: abort.signal,
    onEvent: ({ type }) => type === "iteration-end" && abort.abort(),
  });
  stopped = { config: await trainer.config(), out };
  expect(await trainer.train()).toMatchObject({ status: "cancelled" });
});

/** What a silent store is asked is waited for in no time. */
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** Never answers; all that is waited for by then is over. */
function silence(): Promise<never> {
  queueMicrotask(() => vi.advanceTimersByTime(600_000));
  return new Promise(() => {});
}

type Call = "open" | "runs" | "iterations" | "checkpoints" | "auditTree" | "resumeRun" | "episodes" | "beginRun";

/** A store that answers all but one call, from its nth time on. */
function silentStore(call: Call, from = 1): OpenRunStore {
  let count = 0;
  return async (url, options) => {
    if (call === "open") return await silence();
    const store = await openStore(url, options);
    return new Proxy(store, {
      get(target, name: keyof LightningStore) {
        const own = target[name];
        if (name === call && ++count >= from) return call === "auditTree" ? silentPieces : silence;
        return typeof own === "function" ? own.bind(target) : own;
      },
    });
  };
}

function silentPieces(): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: silence }) };
}

async function resume(openSilent: OpenRunStore) {
  const { config, out } = stopped;
  const environment = await loadEnvironment(config);
  using directory = RunDirectory.resume(out);
  const checkpoint = openPolicyModel(config, environment);
  const tasks = tasksDigest(environment.tasks);
  return await resumeRun(config, { directory, key: loadAuditKey(), checkpoint, tasks, openStore: openSilent });
}

test.each([
  ["open", "opened", 1],
  ["runs", "told its runs", 1],
  ["iterations", "told what is done", 1],
  ["checkpoints", "told what was signed", 1],
  ["checkpoints", "told what was signed", 2],
  ["auditTree", "told the next of its records", 1],
  ["resumeRun", "taken up the run again", 1],
] as const)("a store that is silent when a run goes on ends it, with what to do: %s", async (call, what, from) => {
  const refused = resume(silentStore(call, from));
  await expect(refused).rejects.toThrow(
    `the store has not ${what} within 600000 ms (deadlines.storeMs): see that it answers, then go on with faraday train --resume ${stopped.out}`,
  );
  await expect(refused).rejects.toMatchObject({ exitCode: 1 });
});

test("what a run that goes on reads again of its batches is waited for no longer", async () => {
  const { store, earlier } = await resume(silentStore("episodes"));
  await using _closed = store;
  await expect(earlier.episodes("before", 0)).rejects.toThrow("the store has not told the episodes of a batch within");
  await store.endRun({ id: "run", status: "cancelled" });
});

test.each([
  ["open", "opened"],
  ["beginRun", "taken a new run"],
] as const)("a store that is silent when a run begins ends it, with what to do: %s", async (call, what) => {
  const folder = freshFolder();
  using directory = RunDirectory.create(join(folder, "run"));
  await expect(beginRun(stopped.config, directory, loadAuditKey(), silentStore(call))).rejects.toThrow(
    `the store has not ${what} within 600000 ms (deadlines.storeMs): see that it answers, then begin the run again`,
  );
  expect(readdirSync(folder)).toEqual([]);
});

test("after all that, the run can still go on", async () => {
  await using store = (await resume(openStore)).store;
  expect(await storedRun(stopped.out)).toMatchObject({ status: "running" });
  expect(await store.runs()).toHaveLength(1);
});

test("an error keeps its exit code as it is told what to do; one that nobody can help is told as it is", () => {
  const cause = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" });
  for (const kind of [InputError, FaradayError]) {
    const told = advised(new kind("the store cannot be opened", { cause }), "begin the run again");
    expect(told).toBeInstanceOf(kind);
    expect(told).toMatchObject({
      message: "the store cannot be opened: see that its server runs and takes connections, then begin the run again",
    });
    // The command line says no more than that.
    expect(adviceOn(told)).toBe("see that its server runs and takes connections");
  }
  const bug = new TypeError("x is not a function");
  expect(advised(bug, "begin the run again")).toBe(bug);
});
