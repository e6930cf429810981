import { z } from "zod";
import { defineEnv, type EnvironmentEpisode, type Split, type Task } from "../../src/core/env.ts";

/** Numbers that the agent can press. */
export const buttons = 4;
export const pressesMax = 3;
const hitsWanted = 2;

const counts: readonly (readonly [Split, number])[] = [
  ["train", 6],
  ["val", 2],
  ["test", 3],
];

/** An agent presses buttons, and is paid for each press of the one that the task names, until there were two. It needs no database, and a policy of four weights learns it. */
export default defineEnv({
  name: "lamps",
  options: z.strictObject({}),
  load: () => ({
    tasks: counts.flatMap(([split, count]) => Array.from({ length: count }, (_, index) => lamp(split, index))),
    maxTurns: pressesMax,
    start: press,
  }),
});

function lamp(split: Split, index: number): Task {
  return { id: `${split}-lamp-${index}`, prompt: `lamp ${index}`, split };
}

function press({ id }: Task): EnvironmentEpisode {
  const wanted = Number(id.at(-1)) % buttons;
  let presses = 0;
  let hits = 0;
  return {
    observation: "dark",
    drivers: {
      lamp: {
        operations: {
          press: ({ button }) => {
            presses++;
            if (button === wanted) hits++;
            return hits;
          },
        },
      },
    },
    parse: (action) => ({ syscall: "lamp.press", args: { button: Number(action) } }),
    step: () => ({ observation: String(hits), done: hits >= hitsWanted || presses >= pressesMax }),
    score: () => ({ success: hits > 0, reward: hits / hitsWanted }),
  };
}
