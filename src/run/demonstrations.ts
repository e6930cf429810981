import type { Environment, Task } from "../core/env.ts";
import type { Trajectory } from "../core/trajectory.ts";
import type { KernelSpace } from "../kernel/kernel-space.ts";
import { actId, doneId, endId, type Tokenizer } from "../model/tokenizer.ts";
import { AgentOSRunner } from "../runner/agent-os-runner.ts";
import { PolicyReward } from "../runner/policy-reward.ts";
import { observationTokensMax } from "./policy-player.ts";

/** What a demonstrator did about a prompt, and what it saw between its actions. */
export interface ReplayedDemonstration {
  readonly prompt: string;
  readonly actions: readonly string[];
  /** One fewer than there are actions. */
  readonly observations: readonly string[];
  /** Whether each action completed, and another came all the same: the demonstrator wanted to see what came of it. */
  readonly looked: readonly boolean[];
}

/**
 * Replays demonstrations inside the kernel, for what the demonstrator saw: what was denied is followed by what it did then. Without the
 * kernel the first actions are the same. Actions after the end of an episode are left out.
 */
export async function replayDemonstrations(
  environment: Environment,
  tasks: readonly Task[],
  kernel: KernelSpace,
): Promise<ReplayedDemonstration[]> {
  const runner = new AgentOSRunner(kernel);
  const reward = new PolicyReward(kernel);
  const replayed: ReplayedDemonstration[] = [];
  for (const [group, task] of tasks.entries()) {
    const demo = task.demo ?? [];
    if (demo.length === 0) continue;
    const key = { id: `demo-${group}`, phase: "train", iteration: 0, group, index: 0, task: task.id } as const;
    const episode = runner.begin({
      environment,
      task,
      key: { ...key, split: task.split, seed: group, weights: 0 },
      reward,
    });
    const prompt = episode.observation;
    const actions: string[] = [];
    const observations: string[] = [];
    const looked: boolean[] = [];
    for (const action of demo) {
      if (episode.done) break;
      if (actions.length > 0) observations.push(episode.observation);
      actions.push(action);
      await episode.actText(action);
      looked.push(episode.lastResult?.outcome === "completed" && actions.length < demo.length);
    }
    episode.finish();
    kernel.recorder.seal();
    if (actions.length > 0) replayed.push({ prompt, actions, observations, looked });
  }
  return replayed;
}

/** The tokens of a demonstration as an episode's; its actions count as chosen. */
export function demonstrationTrajectory(
  tokenizer: Tokenizer,
  { prompt, actions, observations, looked }: ReplayedDemonstration,
): Trajectory {
  const tokens = tokenizer.encode(prompt);
  const chosen: number[] = tokens.map(() => 0);
  const append = (ids: readonly number[], flag: 0 | 1) => {
    for (const id of ids) {
      tokens.push(id);
      chosen.push(flag);
    }
  };
  actions.forEach((action, index) => {
    if (index > 0) append(tokenizer.encode(observations[index - 1] ?? "").slice(0, observationTokensMax), 0);
    append([actId], 0);
    append([...tokenizer.encode(action), looked[index] === true ? endId : doneId], 1);
  });
  return {
    tokens: Int32Array.from(tokens),
    chosen: Uint8Array.from(chosen),
    logProbabilities: new Float32Array(tokens.length),
  };
}
