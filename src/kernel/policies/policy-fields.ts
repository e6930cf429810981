import { z } from "zod";
import { severities } from "../../core/syscall.ts";
import { policyModes } from "../policy.ts";

/** Fields that several policies have. */
export const policyMode = z
  .enum(policyModes)
  .default("enforce")
  .describe("enforce; shadow, which tells what it would have done and does nothing; or off, which does not judge");

export const severity = z.enum(severities);

/** A name of syscalls: exact, a prefix that ends in `.*`, or `*`. */
export const syscallPattern = z
  .string()
  .regex(/^(?:\*|[^*\s]+|[^*\s]+\.\*)$/, "must be a syscall such as sql.query, a prefix such as sql.*, or *");

export const syscallPatterns = z.union([syscallPattern, z.array(syscallPattern).min(1)]);
