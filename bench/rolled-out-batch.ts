import { Dispatcher, type FinishedBatch } from "../src/run/dispatch.ts";
import { type BatchPlan, Planner } from "../src/run/plan.ts";
import { shareWeights } from "../src/run/rollout.ts";
import { RolloutHost } from "../src/run/rollout-host.ts";
import { actorOf, setupOf } from "../src/run/rollout-pool.ts";
import type { ShippedAgent } from "./shipped-agent.ts";

/** What a worker keeps, in this thread. */
export function bootHost({ config, checkpoint }: ShippedAgent): Promise<RolloutHost> {
  return RolloutHost.boot(setupOf(config, actorOf(config, checkpoint, shareWeights(checkpoint.weights, 1))));
}

/** The first batch of a training run, cut to so many episodes. */
export function firstBatch({ config, environment }: ShippedAgent, episodes: number): BatchPlan {
  const groupsPerBatch = Math.ceil(episodes / config.train.groupSize);
  return new Planner(environment.tasks, { ...config.train, groupsPerBatch }).training(1);
}

export async function rollOut(host: RolloutHost, plan: BatchPlan): Promise<FinishedBatch> {
  let last: Promise<unknown> = Promise.resolve();
  const dispatcher = new Dispatcher({
    workers: 1,
    // A worker runs one task at a time.
    run: (task) => {
      const result = last.then(() => host.run(task, 0));
      last = result;
      return result;
    },
    onFault: ({ reason }) => {
      throw new Error(reason);
    },
  });
  return dispatcher.batch(plan);
}
