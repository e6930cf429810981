import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { ResolvedConfig } from "./config-schema.ts";
import { givesShape, type ModelOptions } from "./model-options.ts";

/**
 * The config with the paths of its own keys absolute. An environment's paths stay as they are: only it knows which of
 * its options are paths, and it is given `baseDir`. The store stays too: it lies in the run directory.
 */
export function withAbsolutePaths(config: ResolvedConfig): ResolvedConfig {
  const { audit, baseDir, model, kernel } = config;
  const { sql } = kernel.drivers;
  const drivers = sql !== undefined && "database" in sql ? { sql: { database: resolve(baseDir, sql.database) } } : {};
  return {
    ...config,
    model: model.checkpoint === undefined ? model : { ...model, checkpoint: resolve(baseDir, model.checkpoint) },
    kernel: { ...kernel, drivers: { ...kernel.drivers, ...drivers }, ...withAbsoluteModules(kernel, baseDir) },
    audit: audit.key === undefined ? audit : { ...audit, key: resolve(baseDir, audit.key) },
  };
}

/** Modules that take part in judging. */
function withAbsoluteModules({ policies, resolver }: ResolvedConfig["kernel"], baseDir: string) {
  return {
    policies: policies.map((policy) =>
      policy.type === "custom" ? { ...policy, module: resolve(baseDir, policy.module) } : policy,
    ),
    ...(resolver === undefined ? {} : { resolver: { module: resolve(baseDir, resolver.module) } }),
  };
}

/** Where a config says nothing of the weights, a shipped environment brings its base policy. */
export function withShippedPolicy(model: ModelOptions, envType: string | undefined): ModelOptions {
  if (envType === undefined || model.checkpoint !== undefined || givesShape(model)) return model;
  const folder = fileURLToPath(new URL(`../../envs/${envType}/base-policy`, import.meta.url));
  return existsSync(folder) ? { ...model, checkpoint: folder } : model;
}
