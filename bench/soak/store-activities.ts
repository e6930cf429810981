import { join } from "node:path";
import { StoreServer } from "../../src/store/http/store-server.ts";
import { openStore } from "../../src/store/open.ts";
import type { RolloutQueue } from "../../src/store/rollout-queue.ts";
import { type Activity, settlingBytes } from "./soak.ts";

/** Stores opened, asked and closed; `url` names one in PostgreSQL. */
export function openedStores(folder: string, count: number, url?: string): Activity {
  const what = url === undefined ? "SQLite" : "PostgreSQL";
  return {
    ...{ name: `stores opened and closed, ${what}`, count, bytesMax: settlingBytes },
    work: async (times) => {
      for (let index = 0; index < times; index++) {
        await using store = await openStore(url ?? "sqlite:opened.db", { baseDir: folder });
        await useQueue(store);
      }
    },
  };
}

/** A server and a client of its own each time. */
export function servedStores(folder: string, count: number): Activity {
  return {
    ...{ name: "stores served and closed", count, bytesMax: settlingBytes },
    work: async (times) => {
      for (let index = 0; index < times; index++) {
        await using store = await openStore("sqlite:served.db", { baseDir: folder });
        await using server = await StoreServer.listen({ store, port: 0 });
        await using client = await openStore(server.url, { baseDir: join(folder, "client") });
        await useQueue(client);
      }
    },
  };
}

async function useQueue(queue: RolloutQueue): Promise<void> {
  await queue.enqueueRollout({ input: "soak" });
  const taken = await queue.dequeueRollout();
  if (taken === null) throw new Error("a store of the soak lost a rollout");
  const { rollout_id: rollout, attempt } = taken;
  await queue.updateAttempt(rollout, attempt.attempt_id, { status: "succeeded" });
}
