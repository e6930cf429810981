import { describe, expect, it } from "vitest";
import { CartPole, type CartState } from "../../../envs/control/cart-pole.ts";
import control from "../../../envs/control/index.ts";
import type { EnvironmentEpisode } from "../../../src/core/env.ts";
import type { EpisodeKey } from "../../../src/core/episode.ts";
import { KernelSpace } from "../../../src/kernel/kernel-space.ts";
import { AgentOSRunner } from "../../../src/runner/agent-os-runner.ts";
import { PolicyReward } from "../../../src/runner/policy-reward.ts";
import golden from "../../fixtures/cartpole-golden.json" with { type: "json" };

const bandModule = new URL("../../../envs/control/band-policy.mjs", import.meta.url).pathname;

describe("the cart and its pole", () => {
  it.each(golden.trajectories.map((trajectory, index) => [index, trajectory] as const))(
    "go Gymnasium's trajectory %i to 1e-10, and end where it ends",
    (_, { start, actions, states, terminated }) => {
      const cart = new CartPole(start as unknown as CartState);
      for (const [step, action] of actions.entries()) {
        expect(cart.isOver).toBe(false);
        cart.step(action === 1);
        const expected = states[step] as number[];
        for (const [place, value] of cart.state.entries()) {
          expect(Math.abs(value - (expected[place] as number))).toBeLessThan(1e-10);
        }
      }
      expect(cart.isOver).toBe(terminated);
    },
  );
});

describe("the control environment", () => {
  it("pays a step each, ends when the pole falls, and starts where its seed says", async () => {
    const environment = await control.load({ maxTurns: 500, restarts: false, tasks: 4 }, { baseDir: "." });
    const [task] = environment.tasks;
    if (task === undefined) throw new Error("no task");
    const begin = (seed: number) => environment.start(task, { seed, world: {} });
    expect(begin(1).observation).toBe(begin(1).observation);
    expect(begin(1).observation).not.toBe(begin(2).observation);
    const episode = begin(1);
    let steps = 0;
    while (!pushed(episode)) steps++;
    expect(episode.score()).toEqual({ success: false, reward: steps + 1 });
    expect(steps).toBeLessThan(15);
  });

  it("puts up a new pole when one falls, where the config wants it to go on", async () => {
    const environment = await control.load({ maxTurns: 50, restarts: true, tasks: 4 }, { baseDir: "." });
    const [task] = environment.tasks;
    if (task === undefined) throw new Error("no task");
    const episode = environment.start(task, { seed: 1, world: {} });
    let steps = 1;
    while (!pushed(episode)) steps++;
    expect(steps).toBe(50);
    expect(episode.score()).toEqual({ success: false, reward: 50 });
  });

  it("charges what leaves the band, under the kernel alone", async () => {
    const environment = await control.load({ maxTurns: 20, restarts: false, tasks: 4 }, { baseDir: "." });
    const kernel = new KernelSpace({ policies: [{ type: "custom", module: bandModule, options: { metres: 0.08 } }] });
    await kernel.boot();
    const runner = new AgentOSRunner(kernel);
    const reward = new PolicyReward(kernel, {});
    const [task] = environment.tasks;
    if (task === undefined) throw new Error("no task");
    const agent = { act: () => ({ syscall: "cart.push", args: { right: true } }) };
    const run = (governed: boolean) => runner.run(agent, { environment, task, reward, governed, key: keyOf(task.id) });
    const [governed, ungoverned] = [await run(true), await run(false)];
    expect(governed.violations.length).toBeGreaterThan(0);
    expect(governed.violations[0]).toMatchObject({ policy: "custom", rule: "band", severity: "low", blocked: false });
    expect(governed.cost).toBe(governed.violations.length);
    expect(governed.reward).toBe(governed.stepCount);
    expect(ungoverned).toMatchObject({ cost: 0, reward: governed.reward });
  });
});

/** Pushes to the right, and says whether that was the end. */
function pushed(episode: EnvironmentEpisode): boolean {
  const result = episode.drivers?.cart?.operations.push?.({ right: true });
  return episode.step({ verdict: "allow", violations: [], outcome: "completed", result }).done;
}

function keyOf(task: string): EpisodeKey {
  const place = { phase: "train", iteration: 1, group: 0, index: 0, weights: 0, split: "train" } as const;
  return { id: "train-1-0-0", ...place, task, seed: 5 };
}
