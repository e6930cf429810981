import { workerData } from "node:worker_threads";
import { transferring } from "../src/pool/worker-pool.ts";
import { type CloningAnswer, CloningHost, type CloningSetup, type CloningTask } from "../src/run/cloning-gradient.ts";

let host: Promise<CloningHost> | undefined;

/** Does one task; the first one boots the worker. */
export default async function work(task: CloningTask): Promise<CloningAnswer> {
  host ??= CloningHost.boot(workerData as CloningSetup);
  const answer = (await host).answer(task);
  return transferring(answer, [answer.gradient.buffer]);
}
