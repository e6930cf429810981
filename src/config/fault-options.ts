import { z } from "zod";

const milliseconds = (fallback: number, meaning: string) =>
  z.int().min(10).max(86_400_000).default(fallback).describe(meaning);
const times = (fallback: number, meaning: string) => z.int().min(0).max(100).default(fallback).describe(meaning);

/** How long what a worker does may take. Real time: it decides nothing but whether an episode goes on. */
export const deadlineOptions = z.strictObject({
  bootMs: milliseconds(120_000, "Making a worker's environment and kernel"),
  resetMs: milliseconds(60_000, "Beginning one episode"),
  stepMs: milliseconds(60_000, "One step of one episode, its syscall included"),
  scoreMs: milliseconds(60_000, "Scoring one episode"),
  storeMs: milliseconds(600_000, "One answer of the store, such as that it has a batch"),
  episodeMs: milliseconds(600_000, "One episode as a whole, but for the time that SIGSTOP holds it"),
});
export type DeadlineOptions = z.output<typeof deadlineOptions>;

/** How often what went wrong in a worker is tried again. */
export const retryOptions = z.strictObject({
  died: times(1, "Retries of an episode in whose hands a worker ended"),
  outOfMemory: times(1, "Retries of an episode in whose hands a worker ran out of memory"),
  timedOut: times(0, "Retries of an episode that passed a deadline and had to be ended with its worker"),
  corrupt: times(1, "Retries of episodes whose answer could not be read"),
  boots: times(5, "Boots that may fail one after the other, with longer and longer waits between, before the run ends"),
  taskFaults: z
    .int()
    .min(1)
    .max(1000)
    .default(3)
    .describe("Workers that the episodes of one task may end; then it is quarantined, and no more of them are begun"),
  onQuarantine: z
    .enum(["go-on", "stop"])
    .default("go-on")
    .describe("Whether the run goes on without a quarantined task, or ends with an error that names it"),
});
export type RetryOptions = z.output<typeof retryOptions>;

/** What a worker may hold, and how long it lives. */
export const workerLimitOptions = z.strictObject({
  heapMb: z
    .int()
    .min(16)
    .max(65_536)
    .default(1024)
    .describe(
      "Largest JavaScript heap of a worker; past it, the episode that fills it fails. Outside of it, four times as much",
    ),
  stackMb: z.int().min(1).max(256).default(4).describe("Largest stack of a worker"),
  episodes: z
    .int()
    .min(0)
    .max(1_000_000_000)
    .default(0)
    .describe("Episodes after which a worker is replaced by a new one; 0 never"),
  growthMb: z
    .int()
    .min(0)
    .max(65_536)
    .default(512)
    .describe("Growth of a worker's memory since its first task after which it is replaced by a new one; 0 never"),
});
export type WorkerLimitOptions = z.output<typeof workerLimitOptions>;
