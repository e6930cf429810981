import { z } from "zod";
import { stages } from "../pool/activity-board.ts";

/** In a run directory: what the run is doing, written anew about once a second and at its end. */
export const statusName = "status.json";

/** What one task under way is doing. */
export const taskStatus = z.strictObject({
  /** Of the worker; 0 where none has begun it. */
  worker: z.int().min(0),
  stage: z.enum(stages),
  /** How long it has not moved on, in seconds, and how long it may; `null` where it waits for a worker. */
  seconds: z.number().min(0),
  deadlineSeconds: z.number().min(0).nullable(),
  /** How many episodes it has, and the id of the one whose code runs; `null` where it is no single one's. */
  episodes: z.int().min(0),
  episode: z.string().nullable(),
  /** Syscalls that it has made, and the name of the newest; empty before the first. */
  syscalls: z.int().min(0),
  syscall: z.string(),
});
export type TaskStatus = z.infer<typeof taskStatus>;

/** What went wrong in workers since the process began. */
export const faultStatus = z.strictObject({
  /** Times that something was tried again, by the kind of fault. */
  retries: z.record(z.string(), z.int().min(0)),
  /** Tasks whose episodes are no longer begun, those of earlier processes of the run among them. */
  quarantinedTasks: z.array(z.string()),
  /** What went wrong last, the newest last. */
  newest: z.array(z.strictObject({ at: z.string(), reason: z.string(), episode: z.string().optional() })),
});
export type FaultStatus = z.infer<typeof faultStatus>;

/** The whole file. */
export const runStatus = z.strictObject({
  run: z.string(),
  status: z.enum(["running", "succeeded", "cancelled", "failed"]),
  pid: z.int(),
  /** ISO 8601, UTC. */
  at: z.string(),
  /** Iterations that are done, and how many there are to be. */
  iteration: z.int().min(0),
  iterations: z.int().min(0),
  /** Of the last iteration; `null` before its end. */
  episodesPerSecond: z.number().min(0).nullable(),
  workers: z.int().min(1),
  tasks: z.array(taskStatus),
  faults: faultStatus,
});
export type RunStatusFile = z.infer<typeof runStatus>;
