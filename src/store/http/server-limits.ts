import { z } from "zod";

const seconds = 1000;
const mebibytes = 1024 * 1024;

/** Bounds of what a client may ask of a server. */
export const serverLimits = z
  .strictObject({
    /** A body as it comes, and after unpacking. */
    bodyBytes: z
      .int()
      .min(1)
      .default(64 * mebibytes),
    headerBytes: z
      .int()
      .min(1024)
      .default(16 * 1024),
    headersMax: z.int().min(1).default(100),
    /** From a request's first byte to the end of its headers, and to the end of its body. */
    headersTimeoutMs: z
      .int()
      .min(1)
      .default(10 * seconds),
    requestTimeoutMs: z
      .int()
      .min(1)
      .default(60 * seconds),
    /** How long a connection may lie idle; clients that pool them give up theirs sooner. */
    idleTimeoutMs: z
      .int()
      .min(1)
      .default(75 * seconds),
    /** How long a client may take nothing of its answer, or send nothing of its request; waits for rollouts are not meant. */
    stalledTimeoutMs: z
      .int()
      .min(1)
      .default(120 * seconds),
    connectionsMax: z.int().min(1).default(4096),
    /** Waits for rollouts that may be open at once. */
    waitsMax: z.int().min(1).default(1024),
    /** How long requests in hand may take after a server was told to close. */
    closeTimeoutMs: z
      .int()
      .min(1)
      .default(10 * seconds),
  })
  .refine(({ headersTimeoutMs, requestTimeoutMs }) => headersTimeoutMs <= requestTimeoutMs, {
    error: "headersTimeoutMs must be at most requestTimeoutMs",
  });
export type ServerLimits = z.output<typeof serverLimits>;
export type ServerLimitsInput = z.input<typeof serverLimits>;
