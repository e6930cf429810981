import { workerData } from "node:worker_threads";
import { transferring } from "../src/pool/worker-pool.ts";
import type { RolloutResult, RolloutSetup, RolloutTask } from "../src/run/rollout.ts";
import { RolloutHost } from "../src/run/rollout-host.ts";

let host: Promise<RolloutHost> | undefined;

/** Runs one task; the first one boots the worker. */
export default async function rollout(task: RolloutTask): Promise<RolloutResult> {
  host ??= RolloutHost.boot(workerData as RolloutSetup);
  const result = await (await host).run(task);
  const { trajectories, episodes, audit } = result;
  const columns = [trajectories.offsets, trajectories.tokens, trajectories.chosen, trajectories.logProbabilities];
  const numbers = [episodes.outcome, episodes.success, episodes.observed, episodes.stepCount];
  const amounts = [episodes.reward, episodes.cost, episodes.scalarReward];
  return transferring(
    result,
    [...columns, ...numbers, ...amounts, audit.bytes].map((column) => column.buffer),
  );
}
