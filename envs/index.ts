import type { EnvironmentDefinition } from "../src/core/env.ts";

/** Shipped environments by the name that `env.type` gives; each is loaded when it is chosen. */
export const environments: Readonly<Record<string, () => Promise<EnvironmentDefinition>>> = {
  sql: async () => (await import("./sql/index.ts")).default,
};
