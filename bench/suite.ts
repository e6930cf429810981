import type { Bench } from "tinybench";

/**
 * Fills a bench with the tasks of one suite and says, by task name, how much one run of each gets done. Set-up happens here, outside the
 * timed part; what it opens goes into `resources`.
 */
export type FillBench = (bench: Bench, resources: AsyncDisposableStack) => Promise<Readonly<Record<string, Amount>>>;

/** What one run of a task gets done, e.g. 256 episodes. */
export interface Amount {
  readonly count: number;
  readonly unit: string;
}
