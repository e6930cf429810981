import { workerData } from "node:worker_threads";
import type { EpisodeKey } from "../src/core/episode.ts";
import { ActivityWriter } from "../src/pool/activity-board.ts";
import { BoundedOutput } from "../src/pool/bounded-output.ts";
import { StrayErrors } from "../src/pool/stray-errors.ts";
import { transferring } from "../src/pool/worker-pool.ts";
import { unpackKeys } from "../src/run/episode-keys.ts";
import { EpisodeWatch } from "../src/run/episode-watch.ts";
import type { RolloutResult, RolloutSetup, WorkerTask } from "../src/run/rollout.ts";
import { RolloutHost } from "../src/run/rollout-host.ts";
import type { SurrogateGradient } from "../src/run/surrogate.ts";

const output = new BoundedOutput([process.stdout, process.stderr]);
const strayErrors = new StrayErrors();
let host: Promise<RolloutHost> | undefined;

const setup = workerData as RolloutSetup;

/** Does one task; the first one boots the worker. */
export default async function work(task: WorkerTask): Promise<RolloutResult | SurrogateGradient> {
  const activity = task.row === null ? new ActivityWriter() : new ActivityWriter(setup.activity, task.row);
  const keys = task.kind === "rollout" ? unpackKeys(task.rollout.keys) : [];
  output.refill(nameOf(keys));
  activity.enter("boot");
  host ??= bootHost();
  const booted = await host;
  activity.worker = booted.worker;
  if (task.kind === "rollout") {
    const rollout = { ...task.rollout, keys };
    return movingColumns(await booted.run(rollout, task.slot, new EpisodeWatch(activity, setup.deadlines)));
  }
  activity.enter("learn");
  const gradient = booted.gradient(task.shard, task);
  return transferring(gradient, [gradient.gradient.buffer]);
}

/** By the first and the last of its episodes, which run side by side. */
function nameOf(keys: readonly EpisodeKey[]): string {
  if (keys.length === 0) return "a gradient";
  return `the task of ${keys[0]?.id} to ${keys.at(-1)?.id}`;
}

/** A boot that failed is tried again by the next task. */
function bootHost(): Promise<RolloutHost> {
  return RolloutHost.boot(setup, strayErrors).catch((error: unknown) => {
    host = undefined;
    throw error;
  });
}

function movingColumns(result: RolloutResult): RolloutResult {
  const { trajectories, episodes, audit } = result;
  const columns = [trajectories.offsets, trajectories.tokens, trajectories.chosen, trajectories.logProbabilities];
  const numbers = [episodes.outcome, episodes.success, episodes.observed, episodes.stepCount];
  const amounts = [episodes.reward, episodes.cost, episodes.scalarReward];
  return transferring(
    result,
    [...columns, ...numbers, ...amounts, audit.bytes].map((column) => column.buffer),
  );
}
