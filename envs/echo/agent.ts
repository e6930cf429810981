import { z } from "zod";
import { type Agent, defineAgent } from "../../src/core/agent.ts";

const echoAgentOptions = z.strictObject({
  syscalls: z.int().min(0).max(64).default(0).describe("Syscalls that it makes before it ends its episode"),
});

/** Says the same a number of times, at once. */
export default defineAgent<z.output<typeof echoAgentOptions>>({
  name: "echo",
  options: echoAgentOptions,
  load({ syscalls }) {
    const word = { syscall: "echo.say", args: { text: "hello" } };
    const agent: Agent = { act: (_, { step }) => (step < syscalls ? word : null) };
    return () => agent;
  },
});
