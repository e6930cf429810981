import type { Worker } from "node:worker_threads";
import type { TimedSegment } from "../../core/audit.ts";
import { FaradayError } from "../../core/errors.ts";
import { chosenCount } from "../../core/trajectory.ts";
import type { Rate } from "../../report/bench-report.ts";
import type { FinishedBatch } from "../dispatch.ts";

/** One way to run a workload, which has its turn in every round. */
export interface Lane extends AsyncDisposable {
  /** Whether batches are stored. */
  readonly stored: boolean;
  /** Live threads besides the main one. */
  readonly threads: readonly Worker[];
  /** Records of the last batch, where they are kept. */
  readonly segments: readonly TimedSegment[];
  /** Boots and compiles what it runs; not counted. */
  warmUp(): Promise<void>;
  /**
   * Works until the time is up, in whole batches, at least one of them counted.
   * @throws {FaradayError} where the signal is aborted, after the batch in hand, or an episode fails.
   */
  takeTurn(seconds: number, signal: AbortSignal): Promise<Turn>;
}

/** What was counted of a turn. */
export interface Turn {
  readonly seconds: number;
  readonly batches: number;
  readonly episodes: number;
  readonly steps: number;
  readonly tokens: number;
}

/** Adds up the batches of one turn: from where the first is done, which nothing was under way before, to where the last is. */
export class TurnCount {
  readonly #start: number;
  #end: number;
  #batches = 0;
  #episodes = 0;
  #steps = 0;
  #tokens = 0;

  constructor() {
    this.#start = performance.now();
    this.#end = this.#start;
  }

  get batches(): number {
    return this.#batches;
  }

  add(batch: FinishedBatch): void {
    this.addCounts(countsOf(batch));
  }

  addCounts({ episodes, steps, tokens }: Pick<Turn, "episodes" | "steps" | "tokens">): void {
    this.#end = performance.now();
    this.#batches++;
    this.#episodes += episodes;
    this.#steps += steps;
    this.#tokens += tokens;
  }

  get turn(): Turn {
    const seconds = (this.#end - this.#start) / 1000;
    const counts = { episodes: this.#episodes, steps: this.#steps, tokens: this.#tokens };
    return { seconds, batches: this.#batches, ...counts };
  }
}

export function ratesOf({ seconds, episodes, steps, tokens }: Turn): Readonly<Record<Rate, number>> {
  return {
    episodesPerSecond: episodes / seconds,
    stepsPerSecond: steps / seconds,
    tokensPerSecond: tokens / seconds,
  };
}

export function checkRunning(signal: AbortSignal): void {
  if (signal.aborted) throw new FaradayError("the measurement was cancelled", { cause: signal.reason });
}

/** @throws {FaradayError} where an episode failed: what it did not do would count as done. */
export function checkEpisodes({ episodes }: FinishedBatch): void {
  const failed = episodes.find(({ summary }) => summary.outcome === "failed");
  if (failed === undefined) return;
  const { key, error } = failed.summary;
  throw new FaradayError(`nothing was measured: episode ${key.id} failed in ${error?.boundary}: ${error?.message}`);
}

function countsOf({ episodes }: FinishedBatch): Pick<Turn, "episodes" | "steps" | "tokens"> {
  return {
    episodes: episodes.length,
    steps: episodes.reduce((sum, { summary }) => sum + summary.stepCount, 0),
    tokens: episodes.reduce((sum, { trajectory }) => sum + chosenCount(trajectory), 0),
  };
}
