import type { Boundary, EpisodeKey, EpisodeSummary } from "../core/episode.ts";
import { noTokens } from "../core/trajectory.ts";
import type { Stage } from "../pool/activity-board.ts";
import type { WorkerFault } from "../pool/worker-fault.ts";
import type { RolledOut } from "./dispatch.ts";

/** An episode of which no worker has told anything. */
export function lostEpisode(key: EpisodeKey, how: Loss, attempt: number): RolledOut {
  const nothing = { success: false, reward: 0, cost: 0, scalarReward: 0, violations: [], oracle: null, stepCount: 0 };
  return {
    summary: { key, ...how, ...nothing },
    trajectory: noTokens,
    worker: 0,
    attempt,
  };
}

/** How an episode ended that its worker could not end. */
export type Loss = Required<Pick<EpisodeSummary, "outcome" | "error">>;

export const killedLoss: Loss = {
  outcome: "killed",
  error: { boundary: "worker", message: "SIGKILL before it began, or its worker was ended with it" },
};

/** What a fault is to the episode that is given up for it. */
export function lossOf({ kind, message, activity }: WorkerFault): Loss {
  const boundary = activity === null || activity.episode === null ? "worker" : boundaryOf(activity.stage);
  return { outcome: kind === "timed-out" ? "timed-out" : "failed", error: { boundary, message } };
}

/** Whose code runs in a stage that is one episode's. */
function boundaryOf(stage: Stage): Boundary {
  return stage === "act" ? "agent" : "environment";
}

export function quarantineLoss(task: string, faults: number): Loss {
  const message = `task ${task} is quarantined: its episodes ended ${faults} workers, see the event task-quarantined`;
  return { outcome: "quarantined", error: { boundary: "environment", message } };
}
