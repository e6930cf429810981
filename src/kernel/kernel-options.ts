import { z } from "zod";
import { policySpec } from "./policies/policy-spec.ts";

/** The database that agents act on: a file (an SQL script or an SQLite database), or a script given inline. */
export const sqlDriverSpec = z.union([
  z.strictObject({ database: z.string().min(1).describe("An SQL script, or an SQLite database file") }),
  z.strictObject({ script: z.string().describe("An SQL script itself, instead of a file") }),
]);
export type SqlDriverSpec = z.infer<typeof sqlDriverSpec>;

/** Drivers by name, each with its options; without one, the environment's defaults are used. */
export const driverSpecs = z.strictObject({
  sql: sqlDriverSpec.optional().describe("The database that the agent acts on; else the environment's own"),
});
export type DriverSpecs = z.infer<typeof driverSpecs>;

/** `kernel` in the config. */
export const kernelOptions = z.strictObject({
  drivers: driverSpecs.prefault({}).describe("What syscalls act on, by driver"),
  policies: z.array(policySpec).default([]).describe("What judges every syscall; each entry has a type, sql or budget"),
});
export type KernelOptions = z.infer<typeof kernelOptions>;
