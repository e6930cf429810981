import { resolve } from "node:path";
import type { ResolvedConfig } from "./config-schema.ts";

/**
 * The config with the paths of its own keys absolute. An environment's paths stay as they are: only it knows which of
 * its options are paths, and it is given `baseDir`.
 */
export function withAbsolutePaths(config: ResolvedConfig): ResolvedConfig {
  const { baseDir, model, kernel } = config;
  const drivers = Object.entries(kernel.drivers).map(([name, options]) => [name, withDatabase(options, baseDir)]);
  return {
    ...config,
    model: model.checkpoint === undefined ? model : { ...model, checkpoint: resolve(baseDir, model.checkpoint) },
    kernel: { ...kernel, drivers: Object.fromEntries(drivers) },
  };
}

function withDatabase<T>(options: T, baseDir: string): T {
  if (typeof options !== "object" || options === null || !("database" in options)) return options;
  return typeof options.database === "string" ? { ...options, database: resolve(baseDir, options.database) } : options;
}
