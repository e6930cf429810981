import type { AgentDefinition } from "../src/core/agent.ts";
import type { EnvironmentDefinition } from "../src/core/env.ts";

/** Shipped environments by the name that `env.type` gives; each is loaded when it is chosen. */
export const environments: Readonly<Record<string, () => Promise<EnvironmentDefinition>>> = {
  sql: async () => (await import("./sql/index.ts")).default,
  control: async () => (await import("./control/index.ts")).default,
  echo: async () => (await import("./echo/index.ts")).default,
};

/** Shipped agents by the name that `agent.type` gives; each is loaded when it is chosen. */
export const agents: Readonly<Record<string, () => Promise<AgentDefinition>>> = {
  "sql-script": async () => (await import("./sql/scripted-agent.ts")).default,
  push: async () => (await import("./control/agent.ts")).default,
  echo: async () => (await import("./echo/agent.ts")).default,
  wait: async () => (await import("./echo/waiting-agent.ts")).default,
};
