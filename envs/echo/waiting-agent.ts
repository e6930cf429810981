import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { defineAgent } from "../../src/core/agent.ts";
import { Random } from "../../src/core/random.ts";

const waitingAgentOptions = z
  .strictObject({
    minMs: z.int().min(0).max(600_000).default(50).describe("Least time that it thinks, in milliseconds"),
    maxMs: z.int().min(0).max(600_000).default(500).describe("Most time that it thinks, in milliseconds"),
  })
  .refine(({ minMs, maxMs }) => minMs <= maxMs, { path: ["maxMs"], message: "must be at least agent.minMs" });

/** Thinks for a while, as a remote model does, says one word and ends its episode. How long it thinks follows from the episode's seed. */
export default defineAgent<z.output<typeof waitingAgentOptions>>({
  name: "wait",
  options: waitingAgentOptions,
  load:
    ({ minMs, maxMs }) =>
    (_, { seed }) => ({
      async act(_observation, { step, signal }) {
        if (step > 0) return null;
        await sleep(minMs + new Random(seed).next() * (maxMs - minMs), undefined, { signal });
        return { syscall: "echo.say", args: { text: "hello" } };
      },
    }),
});
