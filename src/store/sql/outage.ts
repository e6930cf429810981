import { setTimeout as sleep } from "node:timers/promises";
import { FaradayError, messageOf } from "../../core/errors.ts";
import { type Logger, stderrLogger } from "../../core/logger.ts";

/** The database went away in the middle of an operation. */
export class OutageError extends Error {
  /** Whether the operation may have been done all the same: it was to be made final, and no answer came. */
  readonly mayBeDone: boolean;

  constructor(cause: unknown, mayBeDone: boolean) {
    super(messageOf(cause), { cause });
    this.name = "OutageError";
    this.mayBeDone = mayBeDone;
  }
}

const pauseMs = { min: 100, max: 5000 } as const;

/** Tries again for so long what a database that went away has not done. */
export class Patience implements Disposable {
  readonly #outageMs: number;
  readonly #store: string;
  readonly #logger: Logger;
  readonly #closed = new AbortController();
  /** Whoever has waited in vain once does not wait again before there is an answer. */
  #isSpent = false;

  /**
   * @param store What messages call the store.
   * @param outageMs 0 to try everything once.
   */
  constructor(store: string, outageMs: number, logger: Logger = stderrLogger) {
    this.#store = store;
    this.#outageMs = outageMs;
    this.#logger = logger;
  }

  /**
   * @param attempt Is told whether an attempt before it may have been done.
   * @param mayRepeat Whether it may be called again after one that may have been done.
   * @throws {FaradayError} where the database did not come back in time; otherwise what the attempt throws.
   */
  async run<Result>(attempt: (mayBeDone: boolean) => Promise<Result>, mayRepeat: boolean): Promise<Result> {
    const begun = performance.now();
    let mayBeDone = false;
    for (let pause: number = pauseMs.min; ; pause = Math.min(2 * pause, pauseMs.max)) {
      try {
        const result = await attempt(mayBeDone);
        this.#answered(pause > pauseMs.min);
        return result;
      } catch (error) {
        if (!(error instanceof OutageError)) throw error;
        mayBeDone ||= error.mayBeDone;
        if (mayBeDone && !mayRepeat) throw error;
        if (pause === pauseMs.min) this.#gone(error);
        if (this.#isOver(performance.now() - begun + pause)) throw this.#inVain(error);
      }
      await sleep(pause, undefined, { signal: this.#closed.signal }).catch(() => {});
    }
  }

  /** Nobody waits any longer. */
  [Symbol.dispose](): void {
    this.#closed.abort();
  }

  #isOver(waitedMs: number): boolean {
    return this.#isSpent || this.#closed.signal.aborted || waitedMs > this.#outageMs;
  }

  #answered(wasGone: boolean): void {
    this.#isSpent = false;
    if (wasGone) this.#logger.warning(`store ${this.#store} answers again`);
  }

  #gone({ message }: OutageError): void {
    if (this.#outageMs === 0 || this.#isSpent) return;
    this.#logger.warning(`store ${this.#store} does not answer; trying again for ${this.#outageMs / 1000} s`, {
      error: message,
    });
  }

  #inVain(error: OutageError): Error {
    this.#isSpent = true;
    if (this.#outageMs === 0) return error;
    return new FaradayError(
      `store ${this.#store} does not answer, and did not within ${this.#outageMs / 1000} s (deadlines.storeMs): ${error.message}`,
      { cause: error, advice: "see that its server runs and takes connections" },
    );
  }
}
