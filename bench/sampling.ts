import { chosenCount, type Trajectory, trajectoryAt } from "../src/core/trajectory.ts";
import { Sampler, type Speaker } from "../src/model/sampler.ts";
import { actId } from "../src/model/tokenizer.ts";
import type { RolloutTask } from "../src/run/rollout.ts";
import { bootHost, firstBatch } from "./rolled-out-batch.ts";
import { type ShippedAgent, shippedAgent } from "./shipped-agent.ts";
import type { FillBench } from "./suite.ts";

const rows = 32;

/**
 * Tokens that the shipped base policy samples in one thread: alone, and in episodes with the kernel, the environment and the oracle. The
 * same seeds every time, and so the same tokens.
 */
export const sampling: FillBench = async (bench) => {
  const agent = await shippedAgent();
  const { temperature } = agent.config.train;
  const [task] = firstBatch(agent, rows).tasks;
  if (task === undefined) throw new Error("a training batch has no tasks");
  const sampler = await Sampler.create(agent.checkpoint.architecture, { rows });
  sampler.setWeights(agent.checkpoint.weights);
  const host = await bootHost(agent);
  const speakers = speakersOf(agent, task);
  const alone = async () => sampler.sample(speakers, { temperature });
  const episodes = async () => {
    const { trajectories } = await host.run(task);
    return task.keys.map((_, index) => trajectoryAt(trajectories, index));
  };
  bench.add("sampler alone, one action a row", async () => void (await alone()), { async: true });
  bench.add("whole governed episodes", async () => void (await episodes()), { async: true });
  return {
    "sampler alone, one action a row": { count: sampledTokens(await alone()), unit: "token" },
    "whole governed episodes": { count: sampledTokens(await episodes()), unit: "token" },
  };
};

/** The prompts of a task's episodes; each row ends with its first action. */
function speakersOf({ environment, checkpoint }: ShippedAgent, { keys }: RolloutTask): readonly Speaker[] {
  const prompts = new Map(environment.tasks.map(({ id, prompt }) => [id, prompt]));
  return keys.map(({ task, seed }) => ({
    prompt: [...checkpoint.tokenizer.encode(prompts.get(task) ?? ""), actId],
    seed,
    act: () => null,
  }));
}

function sampledTokens(trajectories: readonly Trajectory[]): number {
  return trajectories.reduce((sum, trajectory) => sum + chosenCount(trajectory), 0);
}
