import { workerData } from "node:worker_threads";
import { type StoreAnswer, StoreHost, type StoreSetup, type StoreTask } from "../src/run/store-host.ts";

const host = new StoreHost(workerData as StoreSetup);

/** Does one task; they come one at a time. */
export default function work(task: StoreTask): Promise<StoreAnswer> {
  return host.answer(task);
}
