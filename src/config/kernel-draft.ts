import { z } from "zod";

export const kernelOptions = z.strictObject({
  drivers: z.record(z.string(), z.looseObject({ database: z.string().optional() })).default({}),
  policies: z
    .array(
      z.discriminatedUnion("type", [
        z.looseObject({ type: z.literal("sql"), deny: z.array(z.string()).default([]) }),
        z.strictObject({ type: z.literal("budget"), syscalls: z.int().min(1).max(10_000).default(16) }),
      ]),
    )
    .default([]),
});
export const runnerOptions = z.strictObject({
  failOnViolation: z.boolean().default(false),
  emitViolations: z.boolean().default(true),
});
export const rewardOptions = z.strictObject({
  critical: z.number().min(0).default(100),
  channels: z.enum(["separate", "scalar"]).default("separate"),
});
