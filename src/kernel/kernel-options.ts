import { z } from "zod";
import { agentSignals } from "../core/audit.ts";
import { type Severity, severities } from "../core/syscall.ts";
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

/** A module whose default export decides what policies escalate: `(request) => "allow" | "deny"`, or a promise of it. */
export const resolverSpec = z.strictObject({
  module: z.string().min(1).describe("File whose default export answers allow or deny"),
});
export type ResolverSpec = z.infer<typeof resolverSpec>;

const ending = z.enum(agentSignals).extract(["SIGTERM", "SIGKILL"]);

/** Signals by severity: what the kernel sends to an episode in which a violation of that severity was blocked. */
export const signalSpecs = z.strictObject(
  Object.fromEntries(
    severities.map((severity) => [severity, ending.optional().describe(`What a blocked ${severity} violation sends`)]),
  ) as Record<Severity, z.ZodOptional<typeof ending>>,
);
export type SignalSpecs = z.infer<typeof signalSpecs>;

/** `kernel` in the config. */
export const kernelOptions = z.strictObject({
  drivers: driverSpecs.prefault({}).describe("What syscalls act on, by driver"),
  policies: z.array(policySpec).default([]).describe("What judges every syscall; each entry has a type"),
  resolver: resolverSpec.optional().describe("What decides where a policy escalates; without it, that is denied"),
  signals: signalSpecs.prefault({}).describe("Signals that end an episode after a blocked violation, by its severity"),
});
export type KernelOptions = z.infer<typeof kernelOptions>;
