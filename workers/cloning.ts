import { workerData } from "node:worker_threads";
import { transferring } from "../src/pool/worker-pool.ts";
import { type CloningAnswer, CloningHost, type CloningSetup, type CloningTask } from "../src/run/cloning-gradient.ts";

let host: CloningHost | undefined;

/** Does one task; the first one makes the host. */
export default function work(task: CloningTask): CloningAnswer {
  host ??= new CloningHost(workerData as CloningSetup);
  const answer = host.answer(task);
  return transferring(answer, [answer.gradient.buffer]);
}
