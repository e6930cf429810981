import { z } from "zod";
import { policySpec } from "./policies/policy-spec.ts";

/** The database that agents act on: a file (an SQL script or an SQLite database), or a script given inline. */
export const sqlDriverSpec = z.union([
  z.strictObject({ database: z.string().min(1) }),
  z.strictObject({ script: z.string() }),
]);
export type SqlDriverSpec = z.infer<typeof sqlDriverSpec>;

/** Drivers by name, each with its options; without one, the environment's defaults are used. */
export const driverSpecs = z.strictObject({ sql: sqlDriverSpec.optional() });
export type DriverSpecs = z.infer<typeof driverSpecs>;

/** `kernel` in the config. */
export const kernelOptions = z.strictObject({
  drivers: driverSpecs.prefault({}),
  policies: z.array(policySpec).default([]),
});
export type KernelOptions = z.infer<typeof kernelOptions>;
