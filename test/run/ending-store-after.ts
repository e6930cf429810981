import { workerData } from "node:worker_threads";
import { StoreHost, type StoreTask } from "../../src/run/store-host.ts";

/** A store thread that does what it is asked for, and ends before it says so. */
export default async function work(task: StoreTask): Promise<never> {
  await new StoreHost(workerData).answer(task);
  process.exit(3);
}
