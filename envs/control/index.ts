import { z } from "zod";
import { defineEnv, type Task } from "../../src/core/env.ts";
import { ControlEpisode } from "./episode.ts";

const controlOptions = z.strictObject({
  maxTurns: z.int().min(1).max(100_000).default(500).describe("Steps after which the pole counts as balanced"),
  restarts: z
    .boolean()
    .default(false)
    .describe("Whether a new pole is put up when one falls, as vector environments do, rather than the episode ended"),
  tasks: z.int().min(2).max(100_000).default(64).describe("Tasks, every fourth of them in the test split"),
});

/** Balances a pole on a cart, as Gymnasium's CartPole-v1 has it; the seed of the episode says where it starts. */
export default defineEnv<z.output<typeof controlOptions>>({
  name: "control",
  options: controlOptions,
  load: ({ maxTurns, restarts, tasks }) => ({
    tasks: Array.from({ length: tasks }, (_, index) => balance(index)),
    maxTurns,
    start: (_, { seed }) => new ControlEpisode(seed, { turnsMax: maxTurns, restarts }),
  }),
});

function balance(index: number): Task {
  return { id: `balance-${index}`, prompt: "Balance the pole.", split: index % 4 === 3 ? "test" : "train" };
}
