import { chosenCount, type Trajectory, trajectoryAt } from "../src/core/trajectory.ts";
import { Sampler, type Speaker } from "../src/model/sampler.ts";
import { actId } from "../src/model/tokenizer.ts";
import type { RolloutTask } from "../src/run/rollout.ts";
import { bootHost, firstBatch } from "./rolled-out-batch.ts";
import { type ShippedAgent, shippedAgent } from "./shipped-agent.ts";
import type { FillBench } from "./suite.ts";

/** Different tasks that whole episodes are rolled out on, before the first comes again. */
const tasksMax = 100;

/** Tokens that the shipped base policy samples in one thread: alone, and in episodes with the kernel, the environment and the oracle. */
export const sampling: FillBench = async (bench) => {
  const agent = await shippedAgent();
  const { temperature, groupsPerTask, groupSize } = agent.config.train;
  const rows = groupsPerTask * groupSize;
  const { tasks } = firstBatch(agent, rows * tasksMax);
  const sampler = new Sampler(agent.checkpoint.architecture, { rows });
  sampler.setWeights(agent.checkpoint.weights);
  const host = await bootHost(agent);
  // Every run rolls out another task, as training does: gold answers and statements are not there already.
  let made = 0;
  const nextTask = () => tasks[made++ % tasks.length] as RolloutTask;
  const perToken = async (sample: (task: RolloutTask) => Promise<readonly Trajectory[]>) => {
    const task = nextTask();
    const start = bench.now();
    const trajectories = await sample(task);
    const elapsed = bench.now() - start;
    return { overriddenDuration: elapsed / sampledTokens(trajectories), overriddenIterationCost: elapsed };
  };
  const speakers = new Map(tasks.map((task) => [task, speakersOf(agent, task)]));
  const alone = (task: RolloutTask) => sampler.sample(speakers.get(task) ?? [], { temperature });
  const episodes = async (task: RolloutTask) => {
    const { trajectories } = await host.run(task, 0);
    return task.keys.map((_, index) => trajectoryAt(trajectories, index));
  };
  bench.add("sampler alone, one action a row", () => perToken(alone), { async: true });
  bench.add("whole governed episodes", () => perToken(episodes), { async: true });
  const amount = { count: 1, unit: "token" };
  return { "sampler alone, one action a row": amount, "whole governed episodes": amount };
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
