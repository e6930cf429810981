import type { AttemptStatus, RolloutConfig } from "../../rollout-record.ts";
import type { QueueAttemptRow, QueueRolloutRow } from "../tables.ts";

type Timed = Pick<QueueAttemptRow, "start_time" | "last_heartbeat_time">;

/** When the latest attempt at a rollout will be overdue; `null` where it never will be, or is not under way. */
export function deadlineOf({ status, config }: QueueRolloutRow, latest: Timed | null): number | null {
  if (latest === null || (status !== "preparing" && status !== "running")) return null;
  const { timeout, unresponsive } = deadlines(JSON.parse(config), latest);
  const deadline = Math.min(timeout, unresponsive);
  return Number.isFinite(deadline) ? deadline : null;
}

/** How an attempt ends that is overdue. */
export function overdueStatus(config: RolloutConfig, attempt: Timed, now: number): AttemptStatus | null {
  const { timeout, unresponsive } = deadlines(config, attempt);
  if (now > timeout) return "timeout";
  return now > unresponsive ? "unresponsive" : null;
}

function deadlines(
  { timeout_seconds, unresponsive_seconds }: RolloutConfig,
  { start_time, last_heartbeat_time }: Timed,
) {
  const never = Number.POSITIVE_INFINITY;
  return {
    timeout: timeout_seconds === null ? never : start_time + timeout_seconds,
    unresponsive: unresponsive_seconds === null ? never : (last_heartbeat_time ?? start_time) + unresponsive_seconds,
  };
}
