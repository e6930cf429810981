import type { EpisodeSummary } from "../../src/core/episode.ts";
import { episodeName } from "../../src/run/attempt-name.ts";

/** Whom SIGKILL was sent to, and what became of them. */
export class Kills {
  /** Of all processes. */
  readonly #asked = new Set<string>();
  /** Episodes of this process that were killed before they had ended: they cannot complete any more. */
  readonly #before = new Set<string>();
  /** What does not hold, in words. */
  readonly broken: string[] = [];

  /** A process that is no more takes its signals with it. */
  forget(): void {
    this.#before.clear();
  }

  /** @param isOver Whether the episode may have ended. */
  ask(name: string, isOver: boolean): void {
    this.#asked.add(name);
    if (!isOver) this.#before.add(name);
  }

  /** Looks at a batch as it is to be stored. */
  check(episodes: readonly EpisodeSummary[]): void {
    for (const { key, outcome } of episodes) {
      const name = episodeName(key.id);
      if (outcome === "killed" && !this.#asked.has(name))
        this.broken.push(`${name} is killed, and nobody asked for it`);
      if (this.#before.has(name) && (outcome === "completed" || outcome === "stopped"))
        this.broken.push(`${name} was killed before it ended, and is ${outcome}`);
    }
  }
}
