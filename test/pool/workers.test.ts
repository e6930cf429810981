import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FaradayError, messageOf } from "../../src/core/errors.ts";
import { ProcessPool } from "../../src/pool/process-pool.ts";
import type { WorkerFault } from "../../src/pool/worker-fault.ts";
import { WorkerPool } from "../../src/pool/worker-pool.ts";
import type { PoolOptions, Workers } from "../../src/pool/workers.ts";
import type { Behaviour, Setup, WorkerTask } from "./worker.ts";

type Pool = Workers<WorkerTask, string>;
type OpenOptions = Omit<PoolOptions, "file" | "setup"> & Partial<Setup>;

const kinds = { threads: WorkerPool, processes: ProcessPool } as const;

function openPool(kind: keyof typeof kinds, options: OpenOptions): Pool {
  const { bootsMax = 1000, boot = "throw", boots = freshFile(), shared = new SharedArrayBuffer(40), ...rest } = options;
  const setup: Setup = { boots, bootsMax, boot, shared };
  return new kinds[kind]<WorkerTask, string>({ file: new URL("worker.ts", import.meta.url), setup, ...rest });
}

function freshFile(): string {
  const file = join(mkdtempSync(join(tmpdir(), "faraday-test-")), "boots");
  writeFileSync(file, "");
  return file;
}

async function outcomes(pool: Pool, tasks: readonly Behaviour[]): Promise<string[]> {
  return Promise.all(tasks.map((task) => pool.run({ task }).catch(messageOf)));
}

async function kindsOf(pool: Pool, tasks: readonly Behaviour[]): Promise<string[]> {
  return Promise.all(tasks.map((task) => pool.run({ task }).catch((error: WorkerFault) => error.kind)));
}

function soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}

describe.each(["threads", "processes"] as const)("%s", (kind) => {
  describe("a task that is lost with its worker is rejected, and the others are answered", () => {
    test.each([
      ["throw", /^a worker failed: thrown in the worker$/],
      ["exit", /^a worker failed: worker exited with code: 3$/],
      ["throw-later", /^a worker failed: thrown by a timer$/],
    ] as const)("%s", async (fault, message) => {
      await using pool = openPool(kind, { workers: 2 });
      const said = await outcomes(pool, ["answer", fault, "answer", fault, "answer", "answer", fault, "answer"]);
      expect(said.filter((text) => text === "answer")).toHaveLength(5);
      for (const index of [1, 3, 6]) expect(said[index]).toMatch(message);
    });
  });

  test("a worker that dies between tasks is replaced", async () => {
    await using pool = openPool(kind, { workers: 1 });
    for (let round = 0; round < 3; round++) {
      await outcomes(pool, ["answer-and-exit"]);
      await soon();
      // The first may meet the dying worker; the second has a new one.
      expect(await outcomes(pool, ["answer", "answer"])).toContain("answer");
    }
  });

  describe("where no worker starts, every task is rejected instead of waiting", () => {
    test.each(["throw", "exit"] as const)("none ever did: %s", async (boot) => {
      await using pool = openPool(kind, { workers: 2, bootsMax: 0, boot });
      const said = await outcomes(pool, ["answer", "answer", "answer", "answer", "answer"]);
      for (const text of said) expect(text).toMatch(/^a worker failed: /);
      for (const text of await outcomes(pool, ["answer"])) expect(text).toMatch(/^a worker failed: /);
    });

    test.each(["throw", "exit"] as const)("no replacement does: %s", async (boot) => {
      await using pool = openPool(kind, { workers: 1, bootsMax: 1, boot });
      const said = await outcomes(pool, ["exit", "answer", "answer"]);
      for (const text of said) expect(text).toMatch(/^a worker failed: /);
      for (const text of await outcomes(pool, ["answer", "answer"])) expect(text).toMatch(/^a worker failed: /);
    });

    test("those that live go on alone", async () => {
      const boots = freshFile();
      await using pool = openPool(kind, { workers: 2, bootsMax: 2, boots });
      // Both have a task at a time, so that both have begun.
      await outcomes(pool, ["wait", "wait"]);
      expect(readFileSync(boots, "utf8")).toBe("..");
      const said = await outcomes(pool, ["exit", "answer", "answer", "answer", "answer"]);
      expect(said.slice(1)).toEqual(["answer", "answer", "answer", "answer"]);
      expect(await outcomes(pool, ["answer", "answer"])).toEqual(["answer", "answer"]);
    });
  });

  test("a pool that was closed rejects tasks, those in hand included, and starts no worker", async () => {
    const pool = openPool(kind, { workers: 1 });
    const inHand = outcomes(pool, ["throw-later", "answer", "answer"]);
    await pool[Symbol.asyncDispose]();
    for (const text of await inHand) expect(text).toMatch(/^a worker failed: /);
    await expect(pool.run({ task: "answer" })).rejects.toThrow(FaradayError);
  });

  describe("a fault says what kind it is", () => {
    test("thrown, died, out of memory; the others are answered", async () => {
      await using pool = openPool(kind, { workers: 2, limits: { heapMb: 32 } });
      const kinds = await kindsOf(pool, ["throw", "exit", "fill-heap", "answer", "throw-later"]);
      expect(kinds).toEqual(["threw", "died", "out-of-memory", "answer", "died"]);
    });

    test("no worker starts", async () => {
      await using pool = openPool(kind, { workers: 1, bootsMax: 0 });
      await outcomes(pool, ["answer"]);
      expect(await kindsOf(pool, ["answer"])).toEqual(["boot"]);
    });
  });

  describe("an aborted task ends the worker that holds it, in whatever loop it is, and another takes its place", () => {
    test.each(["loop", "wasm-loop"] as const)("%s", async (task) => {
      await using pool = openPool(kind, { workers: 1 });
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
    await using pool = openPool(kind, { workers: 1, tasksPerWorker: 3 });
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
    await using pool = openPool(kind, { workers: 1 });
    const [before] = await outcomes(pool, ["worker"]);
    const waiting = pool.run(
      { task: "wait" },
      {
        onAssigned: (id) => pool.retire(id),
      },
    );
    expect(await waiting).toBe("1");
    expect(await outcomes(pool, ["worker"])).not.toEqual([before]);
  });

  test("workers see what was shared before their task, those that are started later too", async () => {
    const shared = new SharedArrayBuffer(40);
    await using pool = openPool(kind, { workers: 2, shared });
    const numbers = new Int32Array(shared, 4, 9);
    for (const number of [1, 2]) {
      numbers.fill(number);
      pool.share(numbers);
      expect(await outcomes(pool, ["sum", "sum"])).toEqual([`${9 * number}`, `${9 * number}`]);
    }
    expect(await outcomes(pool, ["exit", "exit", "sum", "sum"])).toEqual([
      ...new Array(2).fill(expect.anything()),
      "18",
      "18",
    ]);
  });

  test("what a worker writes to the memory that is watched during its task is seen while it goes on", async () => {
    const shared = new SharedArrayBuffer(40);
    await using pool = openPool(kind, { workers: 1, shared });
    let isDone = false;
    const watched = new Int32Array(shared, 8, 4);
    const written = pool.run({ task: "write" }, { watched }).finally(() => {
      isDone = true;
    });
    while (watched[1] !== 33 && !isDone) await soon();
    expect(isDone).toBe(false);
    expect(await written).toBe("answer");
  });

  test("what a worker posts is told", async () => {
    const told: unknown[] = [];
    await using pool = openPool(kind, { workers: 1, onMessage: (message) => told.push(message) });
    expect(await outcomes(pool, ["post"])).toEqual(["answer"]);
    while (told.length === 0) await soon();
    expect(told).toEqual(["posted"]);
  });
});

describe("a process contains what a thread cannot", () => {
  test("a signal that ends the whole process: that task is lost, the others are answered", async () => {
    await using pool = openPool("processes", { workers: 2 });
    const said = await outcomes(pool, ["answer", "kill-process", "answer", "answer"]);
    expect(said).toEqual(["answer", "a worker failed: worker process was ended by SIGKILL", "answer", "answer"]);
  });

  test.each(["fill-uninterruptibly", "fill-and-block"] as const)(
    "memory that is filled by code that V8 does not interrupt: %s",
    async (task) => {
      await using pool = openPool("processes", { workers: 1, limits: { heapMb: 16 } });
      expect(await kindsOf(pool, [task, "answer"])).toEqual(["out-of-memory", "answer"]);
    },
  );

  test("code that V8 does not interrupt is ended with its process", async () => {
    await using pool = openPool("processes", { workers: 1 });
    const [before] = await outcomes(pool, ["worker"]);
    const abort = new AbortController();
    const onAssigned = () => setTimeout(() => abort.abort(), 300);
    const filling = pool.run({ task: "fill-uninterruptibly" }, { signal: abort.signal, onAssigned });
    await expect(filling).rejects.toMatchObject({ kind: "ended" });
    const [pid] = (before as string).split(" ");
    while (isAlive(Number(pid))) await soon();
    expect(await outcomes(pool, ["answer"])).toEqual(["answer"]);
  });

  test("signals of a terminal, which reach every process, are left to the one that owns the pool", async () => {
    await using pool = openPool("processes", { workers: 1 });
    const [before] = (await outcomes(pool, ["worker"])) as [string];
    for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"]) process.kill(Number.parseInt(before, 10), signal);
    expect(await outcomes(pool, ["worker"])).toEqual([before]);
  });

  test("processes end with the one that owns the pool, however that ends and whatever they do", async () => {
    const owner = fork(new URL("pool-owner.ts", import.meta.url));
    const [worker] = (await once(owner, "message")) as [string];
    owner.kill("SIGKILL");
    while (isAlive(Number.parseInt(worker, 10))) await soon();
  });
});

/** A process that has ended may be there until somebody asks how. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", `${pid}`], { encoding: "utf8" });
  return stdout.trim() !== "" && !stdout.startsWith("Z");
}
