import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { openMaintenance, openStore } from "../../src/store/open.ts";
import { UnknownIdError } from "../../src/store/store-errors.ts";
import { sampleSpan } from "./queue-samples.ts";

/** A place that several can open at once. */
export interface SharedPlace extends AsyncDisposable {
  readonly url: string;
  readonly baseDir: string;
}

/** What holds where many use one store at once, and where one of them is killed. */
export function sharedContract(name: string, newPlace: () => SharedPlace): void {
  it(
    `${name}: two training runs and ten writers at once lose nothing and double nothing`,
    async () => {
      await using place = newPlace();
      await using store = await openStore(place.url, place);
      const amount = 5;
      const writers = [5, 5].map((count) => written({ ...options(place), writers: count, amount }));
      const runs = ["run-1", "run-2"].map((run) => written({ ...options(place), run, amount }));
      const taken = (await Promise.all(writers)).flat();
      await Promise.all(runs);
      while (true) {
        const left = await store.dequeueRollout();
        if (left === null) break;
        taken.push(left.rollout_id);
      }
      expect(new Set(taken).size).toBe(10 * amount);
      expect(taken).toHaveLength(10 * amount);
      await using maintenance = await openMaintenance(place.url, place);
      const stats = await maintenance.stats();
      expect(stats).toMatchObject({ runs: 2, batches: 2 * amount, episodes: 4 * amount, auditRecords: 24 * amount });
      expect(stats).toMatchObject({ rollouts: 10 * amount, attempts: 10 * amount });
      const ended = await store.queryRollouts({ status_in: ["succeeded"], limit: 1 });
      expect(stats.spans).toBe(2 * 7 * amount + 3 * (ended.total - 4 * amount));
      expect((await store.checkpoints("run-2")).map(({ size }) => size)).toEqual([12, 24, 36, 48, 60]);
    },
    timeoutMs,
  );

  it(`${name}: calls that come together keep what each was told, where one of them fails after others`, async () => {
    await using place = newPlace();
    await using store = await openStore(place.url, place);
    const [one, other] = [await store.startRollout({ input: 1 }), await store.startRollout({ input: 2 })];
    const [queued, spans, added, failed] = await Promise.allSettled([
      store.enqueueRollout({ input: 3 }),
      store.addSpans([sampleSpan(one.attempt), sampleSpan({ ...other.attempt, attempt_id: "at-none" })]),
      store.addSpan(sampleSpan(other.attempt)),
      store.updateAttempt(one.rollout_id, "latest", { status: "failed" }),
    ]);
    const statuses = [queued, spans, added, failed].map(({ status }) => status);
    expect(statuses).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
    expect(spans).toMatchObject({ reason: expect.any(UnknownIdError) });
    expect(await store.querySpans({ rollout_id: one.rollout_id })).toMatchObject({ total: 0 });
    expect(await store.querySpans({ rollout_id: other.rollout_id })).toMatchObject({ total: 1 });
    expect(await store.getRollout(one.rollout_id)).toMatchObject({ status: "failed" });
    expect(await store.dequeueRollout()).toMatchObject({ input: 3 });
    expect(await store.dequeueRollout()).toBeNull();
  });

  it(
    `${name}: a writer that is killed leaves all that it told of, and a store that works`,
    async () => {
      await using place = newPlace();
      await using store = await openStore(place.url, place);
      const program = fileURLToPath(new URL("./killed-queue-writer.ts", import.meta.url));
      const child = spawn(process.execPath, [program, place.url, place.baseDir], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let told = "";
      child.stdout.on("data", (data) => {
        told += data;
        if (told.length > 2000) child.kill("SIGKILL");
      });
      await once(child, "close");
      expect(child.signalCode).toBe("SIGKILL");
      const ids = told.split("\n").slice(0, -1);
      const { items } = await store.queryRollouts({ status_in: ["queuing"] });
      const stored = new Set(items.map(({ rollout_id }) => rollout_id));
      expect(ids.filter((id) => !stored.has(id))).toEqual([]);
      expect(await store.dequeueRollout()).toMatchObject({ status: "preparing" });
    },
    timeoutMs,
  );
}

/** They wait for each other, and for whatever else the machine does. */
const timeoutMs = 120_000;

const options = ({ url, baseDir }: SharedPlace) => ({ url, baseDir });

async function written(workerData: object): Promise<readonly string[]> {
  const worker = new Worker(new URL("./concurrent-writer.ts", import.meta.url), { workerData });
  // Both can come in one turn.
  const exited = once(worker, "exit");
  const [taken] = await once(worker, "message");
  await exited;
  return taken;
}
