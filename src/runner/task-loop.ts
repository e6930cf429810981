import type { GovernedRollout } from "./governed-rollout.ts";

/** Where tasks come from and rollouts go. */
export interface RolloutTaskStore<Task = unknown> {
  /** The next task; `null` or `undefined` where none is left. */
  fetch(): Task | null | undefined | Promise<Task | null | undefined>;
  /** Takes a finished rollout. What it throws ends the loop: a rollout is not lost in silence. */
  submit?(rollout: GovernedRollout<Task>): unknown;
}

/** Fetch, step, submit, until no task is left or the signal is aborted. */
export async function worksThrough<Task>(
  store: RolloutTaskStore<Task>,
  options: {
    readonly signal: AbortSignal | undefined;
    readonly step: (task: Task) => Promise<GovernedRollout<Task>>;
  },
): Promise<number> {
  let count = 0;
  while (options.signal?.aborted !== true) {
    const task = await store.fetch();
    if (task === null || task === undefined) break;
    const rollout = await options.step(task);
    await store.submit?.(rollout);
    count++;
  }
  return count;
}
