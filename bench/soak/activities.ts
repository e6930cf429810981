import { shippedAgent } from "../shipped-agent.ts";
import { episodes, kernels } from "./kernel-activities.ts";
import { batches, runs } from "./run-activities.ts";
import type { Activity } from "./soak.ts";
import { openedStores, servedStores } from "./store-activities.ts";

/** Where activities leave their files, and the PostgreSQL server that they may use. */
export interface Place {
  readonly folder: string;
  readonly postgres: string | undefined;
}

/** Every activity, `times` as often as continuous integration does it. */
export async function activities(times: number, { folder, postgres }: Place): Promise<readonly Activity[]> {
  const agent = await shippedAgent();
  const all = [
    batches(agent, folder, 24),
    runs(agent, folder, 6),
    openedStores(folder, 60),
    ...(postgres === undefined ? [] : [openedStores(folder, 16, `${postgres}?schema=soak_${process.pid}`)]),
    servedStores(folder, 24),
    // Last: what booted kernels in this thread let go of late would hide what others keep.
    episodes(agent, 4000),
    kernels(agent, 32),
  ];
  return all.map((activity) => ({ ...activity, count: activity.count * times }));
}
