/** What can go wrong in a worker: before, in, or after the episodes of a task. */
const workerFaults = [
  "boot-throws",
  "boot-dies",
  "boot-hangs",
  "reset-dies",
  "reset-hangs",
  "step-dies",
  "step-hangs",
  "step-slow",
  "step-fills-heap",
  "task-throws",
  "reply-dies",
  "reply-hangs",
  "reply-lacks-an-episode",
  "reply-is-none",
  "reply-is-lost",
  "reply-has-nan",
  "reply-has-no-records",
  "reply-has-other-records",
  "gradient-dies",
  "gradient-hangs",
  "gradient-has-nan",
] as const;

/** What can go wrong between the run and its store, each time that something is stored. */
const storeFaults = ["store-slow", "store-hangs", "store-busy", "store-full", "store-loses-answer"] as const;

/** What code of an environment does: no retry helps, the episode is lost. */
const episodeFaults = ["environment-throws"] as const;

/** What somebody asks for: SIGKILL for one episode, as it waits, runs, has ended, or is between two attempts. */
const signals = ["episode-killed"] as const;

/** What a seed chooses from. Signals are chosen apart, so that seeds stay what they were. */
export const chosenFaults = [...workerFaults, ...storeFaults, ...episodeFaults] as const;
export const faults = [...chosenFaults, ...signals] as const;
export type Fault = (typeof faults)[number];
