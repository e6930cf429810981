import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { openMaintenance, openStore } from "../../src/store/open.ts";

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
  const [taken] = await once(worker, "message");
  await once(worker, "exit");
  return taken;
}
