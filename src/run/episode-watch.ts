import { type DeadlineOptions, deadlineOptions } from "../config/fault-options.ts";
import { ActivityWriter, type Stage } from "../pool/activity-board.ts";
import type { GovernedEpisode } from "../runner/governed-episode.ts";

/**
 * Says what a task's episodes do, and ends those that pass a deadline while the thread is free to: as a whole, or in what they await. A thread
 * that is not free is watched from outside.
 */
export class EpisodeWatch {
  readonly activity: ActivityWriter;
  readonly #deadlines: Pick<DeadlineOptions, "stepMs" | "episodeMs">;
  /** When each episode was begun, and how long it was held, by its index in the task. */
  readonly #begunAt: number[] = [];
  readonly #heldMs: number[] = [];
  /** How many episodes await something. */
  #awaited = 0;

  constructor(activity = new ActivityWriter(), deadlines: DeadlineOptions = deadlineOptions.parse({})) {
    this.activity = activity;
    this.#deadlines = deadlines;
  }

  /** An episode is about to begin. */
  begin(index: number): void {
    this.#begunAt[index] = this.activity.clockMs;
    this.activity.enter("reset", index);
  }

  /** Code of one episode is about to run. */
  enter(stage: Stage & ("act" | "step" | "score"), index: number): void {
    this.activity.enter(stage, index);
  }

  /** No episode's code runs: the policy model goes on, or promises are awaited. */
  idle(): void {
    this.activity.enter(this.#awaited > 0 ? "wait" : "model");
  }

  /** Ends an episode that has gone on for too long. */
  check(episode: GovernedEpisode, index: number): void {
    if (this.#leftMs(index) > 0) return;
    episode.timeOut(`the episode was not done within its deadline of ${this.#deadlines.episodeMs} ms`);
  }

  /**
   * Awaits what an episode awaits, but no longer than its step may take: then the episode is `timed-out`, and what comes of the promise later is
   * dropped. An episode that SIGSTOP holds has all the time in the world.
   */
  async within(promise: Promise<void>, episode: GovernedEpisode, index: number): Promise<void> {
    this.#awaited++;
    this.idle();
    try {
      await this.#raced(promise, episode, index);
    } finally {
      this.#awaited--;
    }
  }

  #raced(promise: Promise<void>, episode: GovernedEpisode, index: number): Promise<void> {
    const limitMs = Math.min(this.#deadlines.stepMs, this.#leftMs(index));
    return new Promise((resolve, reject) => {
      const late = () => {
        this.activity.touch();
        if (episode.held) {
          this.#heldMs[index] = (this.#heldMs[index] ?? 0) + limitMs;
          timer = setTimeout(late, limitMs);
          return;
        }
        episode.timeOut(
          `step: not done within its deadline of ${Math.round(limitMs)} ms; ${lastSyscall(episode.lastSyscall)}`,
        );
        // What the kernel had pending is answered by now; anything else never may be.
        setImmediate(resolve);
      };
      let timer = setTimeout(late, limitMs);
      promise.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  #leftMs(index: number): number {
    const spent = this.activity.clockMs - (this.#begunAt[index] ?? 0) - (this.#heldMs[index] ?? 0);
    return Math.max(0, this.#deadlines.episodeMs - spent);
  }
}

/** The newest syscall's name in words; an empty one where there is none. */
export function lastSyscall(name: string): string {
  return name === "" ? "no syscall was made" : `the last syscall was ${name}`;
}
