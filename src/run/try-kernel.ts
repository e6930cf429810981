import type { ResolvedConfig } from "../config/config-schema.ts";
import type { Environment } from "../core/env.ts";
import { KernelSpace } from "../kernel/kernel-space.ts";

/**
 * Boots one kernel as every worker will, so that what cannot be used is told before anything is written: a worker's error loses its
 * class on the way. Takes a tenth of a second.
 * @throws {InputError} where a driver's input, such as the database, is missing or broken.
 */
export async function tryKernel(config: ResolvedConfig, { driverDefaults }: Environment): Promise<void> {
  using kernel = new KernelSpace(config.kernel);
  await kernel.boot({ driverDefaults: driverDefaults ?? {} });
}
