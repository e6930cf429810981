import { z } from "zod";

/** How a GovernedEnvironment rewards and ends. */
export const environmentOptions = z.strictObject({
  maxSteps: z.int().min(1).default(100).describe("Steps after which an episode is truncated"),
  violationPenalty: z
    .number()
    .max(0)
    .default(-10)
    .describe("Added for each violation, times its severity's multiplier"),
  terminateOnCritical: z.boolean().default(true).describe("Whether a critical violation terminates the episode"),
  stepPenalty: z.number().max(0).default(-0.1).describe("Added on every step"),
  successBonus: z.number().min(0).default(10).describe("Added on a successful step without a violation"),
  resetKernelState: z.boolean().default(true).describe("Whether reset() also resets the kernel"),
});
export type EnvironmentOptions = z.input<typeof environmentOptions>;
export type EnvironmentSettings = z.output<typeof environmentOptions>;
