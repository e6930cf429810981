import { z } from "zod";
import { type Agent, defineAgent } from "../../src/core/agent.ts";
import { Random } from "../../src/core/random.ts";

const pushAgentOptions = z.strictObject({
  by: z
    .enum(["chance", "lean"])
    .default("chance")
    .describe("Whether it pushes either way by chance, or to where the pole will lean"),
});

const toTheRight = { syscall: "cart.push", args: { right: true } };
const toTheLeft = { syscall: "cart.push", args: { right: false } };

/** Pushes the cart of the control environment. */
export default defineAgent<z.output<typeof pushAgentOptions>>({
  name: "push",
  options: pushAgentOptions,
  load: ({ by }) => (by === "lean" ? () => leaning : (_, { seed }) => pushesByChance(seed)),
});

/** Draws 32 pushes at a time. */
function pushesByChance(seed: number): Agent {
  const random = new Random(seed);
  let bits = 0;
  return {
    ignoresObservation: true,
    act(_, { step }) {
      if (step % 32 === 0) bits = random.below(0x1_0000_0000);
      return ((bits >>> (step % 32)) & 1) === 1 ? toTheRight : toTheLeft;
    },
  };
}

const leaning: Agent = {
  act(observation) {
    const [, , lean = 0, spin = 0] = observation.split(" ").map(Number);
    return lean + spin / 2 > 0 ? toTheRight : toTheLeft;
  },
};
