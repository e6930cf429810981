import type { z } from "zod";
import type { AgentDefinition } from "../core/agent.ts";
import { type ChoiceKey, type Chosen, chooseModule, moduleChoice } from "./chosen-module.ts";

/** Which agent acts, where it is not the policy model; the rest of its keys are judged by the agent's own schema. */
export const agentChoice = moduleChoice("agent");
export type AgentChoice = z.output<typeof agentChoice>;

const agentKey: ChoiceKey<AgentDefinition> = {
  key: "agent",
  maker: "defineAgent",
  shipped: async () => (await import("../../envs/index.ts")).agents,
};

/**
 * Finds the agent that a config's `agent` names, in any thread, and checks its options.
 * @throws {InputError} with every problem, each with its path.
 */
export function chooseAgent(agent: AgentChoice, baseDir: string): Promise<Chosen<AgentDefinition>> {
  return chooseModule(agentKey, agent, baseDir);
}
