import { describe, expect, test } from "vitest";
import { FaradayError, messageOf } from "../../src/core/errors.ts";
import type { WorkerFault } from "../../src/pool/worker-fault.ts";
import { WorkerPool } from "../../src/pool/worker-pool.ts";
import type { WorkerLimits } from "../../src/pool/workers.ts";
import type { Behaviour, Setup, WorkerTask } from "./worker.ts";

type OpenOptions = { workers: number; tasksPerWorker?: number; limits?: WorkerLimits } & Partial<Setup>;

function openPool(options: OpenOptions) {
  const { workers, bootsMax = 1000, boot = "throw", boots = new SharedArrayBuffer(4), ...rest } = options;
  const setup: Setup = { boots, bootsMax, boot };
  return new WorkerPool<WorkerTask, string>({ file: new URL("worker.ts", import.meta.url), workers, setup, ...rest });
}

async function outcomes(pool: WorkerPool<WorkerTask, string>, tasks: readonly Behaviour[]): Promise<string[]> {
  return Promise.all(tasks.map((task) => pool.run({ task }).catch(messageOf)));
}

async function kindsOf(pool: WorkerPool<WorkerTask, string>, tasks: readonly Behaviour[]): Promise<string[]> {
  return Promise.all(tasks.map((task) => pool.run({ task }).catch((error: WorkerFault) => error.kind)));
}

function soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}

describe("a task that is lost with its worker is rejected, and the others are answered", () => {
  test.each([
    ["throw", /^a worker failed: thrown in the worker$/],
    ["exit", /^a worker failed: worker exited with code: 3$/],
    ["throw-later", /^a worker failed: thrown by a timer$/],
  ] as const)("%s", async (fault, message) => {
    await using pool = openPool({ workers: 2 });
    const said = await outcomes(pool, ["answer", fault, "answer", fault, "answer", "answer", fault, "answer"]);
    expect(said.filter((text) => text === "answer")).toHaveLength(5);
    for (const index of [1, 3, 6]) expect(said[index]).toMatch(message);
  });
});

test("a worker that dies between tasks is replaced", async () => {
  await using pool = openPool({ workers: 1 });
  for (let round = 0; round < 3; round++) {
    await outcomes(pool, ["answer-and-exit"]);
    await soon();
    // The first may meet the dying worker; the second has a new one.
    expect(await outcomes(pool, ["answer", "answer"])).toContain("answer");
  }
});

describe("where no worker starts, every task is rejected instead of waiting", () => {
  test.each(["throw", "exit"] as const)("none ever did: %s", async (boot) => {
    await using pool = openPool({ workers: 2, bootsMax: 0, boot });
    const said = await outcomes(pool, ["answer", "answer", "answer", "answer", "answer"]);
    for (const text of said) expect(text).toMatch(/^a worker failed: /);
    for (const text of await outcomes(pool, ["answer"])) expect(text).toMatch(/^a worker failed: /);
  });

  test.each(["throw", "exit"] as const)("no replacement does: %s", async (boot) => {
    await using pool = openPool({ workers: 1, bootsMax: 1, boot });
    const said = await outcomes(pool, ["exit", "answer", "answer"]);
    for (const text of said) expect(text).toMatch(/^a worker failed: /);
    for (const text of await outcomes(pool, ["answer", "answer"])) expect(text).toMatch(/^a worker failed: /);
  });

  test("those that live go on alone", async () => {
    const boots = new SharedArrayBuffer(4);
    await using pool = openPool({ workers: 2, bootsMax: 2, boots });
    while (Atomics.load(new Int32Array(boots), 0) < 2) await soon();
    const said = await outcomes(pool, ["exit", "answer", "answer", "answer", "answer"]);
    expect(said.slice(1)).toEqual(["answer", "answer", "answer", "answer"]);
    expect(await outcomes(pool, ["answer", "answer"])).toEqual(["answer", "answer"]);
  });
});

test("a pool that was closed rejects tasks, those in hand included, and starts no worker", async () => {
  const pool = openPool({ workers: 1 });
  const inHand = outcomes(pool, ["throw-later", "answer", "answer"]);
  await pool[Symbol.asyncDispose]();
  for (const text of await inHand) expect(text).toMatch(/^a worker failed: /);
  await expect(pool.run({ task: "answer" })).rejects.toThrow(FaradayError);
});

describe("a fault says what kind it is", () => {
  test("thrown, died, out of memory; the others are answered", async () => {
    await using pool = openPool({ workers: 2, limits: { heapMb: 32 } });
    const kinds = await kindsOf(pool, ["throw", "exit", "fill-heap", "answer", "throw-later"]);
    expect(kinds).toEqual(["threw", "died", "out-of-memory", "answer", "died"]);
  });

  test("no worker starts", async () => {
    await using pool = openPool({ workers: 1, bootsMax: 0 });
    await outcomes(pool, ["answer"]);
    expect(await kindsOf(pool, ["answer"])).toEqual(["boot"]);
  });
});

describe("an aborted task ends the worker that holds it, in whatever loop it is, and another takes its place", () => {
  test.each(["loop", "wasm-loop"] as const)("%s", async (task) => {
    await using pool = openPool({ workers: 1 });
    const abort = new AbortController();
    const looping = pool.run(
      { task },
      { signal: abort.signal, onAssigned: () => setTimeout(() => abort.abort(), 300) },
    );
    await expect(looping).rejects.toMatchObject({ kind: "ended" });
    expect(await outcomes(pool, ["answer"])).toEqual(["answer"]);
  });
});

test("a worker has as many tasks at a time as it is given, and the others of one that is ended are told so", async () => {
  await using pool = openPool({ workers: 1, tasksPerWorker: 3 });
  const waiting = await outcomes(pool, ["wait", "wait", "wait", "wait", "wait"]);
  expect(Math.max(...waiting.map(Number))).toBe(3);
  const abort = new AbortController();
  const others = kindsOf(pool, ["wait", "wait"]);
  const aborted = pool.run(
    { task: "wait" },
    { signal: abort.signal, onAssigned: () => setImmediate(() => abort.abort()) },
  );
  await expect(aborted).rejects.toMatchObject({ kind: "ended" });
  expect(await others).toEqual(["ended", "ended"]);
});

test("a worker that retires ends its task first, and is replaced", async () => {
  await using pool = openPool({ workers: 1 });
  let thread = 0;
  const waiting = pool.run(
    { task: "wait" },
    {
      onAssigned(id) {
        thread = id;
        pool.retire(id);
      },
    },
  );
  expect(await waiting).toBe("1");
  const [other] = await outcomes(pool, ["thread"]);
  expect(Number(other)).toBeGreaterThan(thread);
});
