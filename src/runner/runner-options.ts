import { z } from "zod";

/** `runner` in the config. */
export const runnerOptions = z.strictObject({
  failOnViolation: z.boolean().default(false).describe("Whether a blocked violation ends its episode as stopped"),
  emitViolations: z.boolean().default(true).describe("Whether violations become spans of their own in the store"),
});
export type RunnerOptions = z.input<typeof runnerOptions>;
export type RunnerSettings = z.output<typeof runnerOptions>;
