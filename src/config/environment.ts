import type { EnvironmentDefinition } from "../core/env.ts";
import { type ChoiceKey, type Chosen, chooseModule } from "./chosen-module.ts";
import type { EnvChoice } from "./env-choice.ts";

const environmentKey: ChoiceKey<EnvironmentDefinition> = {
  key: "env",
  maker: "defineEnv",
  shipped: async () => (await import("../../envs/index.ts")).environments,
};

/**
 * Finds the environment that a config's `env` names, in any thread, and checks its options.
 * @throws {InputError} with every problem, each with its path.
 */
export function chooseEnvironment(env: EnvChoice, baseDir: string): Promise<Chosen<EnvironmentDefinition>> {
  return chooseModule(environmentKey, env, baseDir);
}
