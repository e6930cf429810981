import { setImmediate as turn } from "node:timers";
import { vi } from "vitest";

/** Most simulated time that one process of a run may take: ten minutes without an end are a hang. */
const processMsMax = 600_000;

/**
 * One process of a run on the simulated clock: it takes no real time to wait. The clock moves on when nothing else is left to do, and stops for
 * good with the process.
 */
export class SimulatedProcess {
  /** Whether it is no more: nothing that it had begun goes on. */
  killed = false;
  /** What ends with it, however it does. */
  readonly held = new DisposableStack();
  /** Calls to the real disk that have not come back. */
  #outstanding = 0;
  /** Told when all have. */
  #heard: (() => void) | undefined;

  /** Waits on the simulated clock. */
  pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, milliseconds));
  }

  /** Waits for something real, in no simulated time. */
  async real<Result>(result: Promise<Result>): Promise<Result> {
    this.#outstanding++;
    try {
      return await result;
    } finally {
      if (--this.#outstanding === 0) this.#heard?.();
      if (this.killed) await never();
    }
  }

  /**
   * Has the process go on to its end, or to the end that it is given.
   * @param interrupt Told of each move of the clock, from 1; `kill` ends the process there.
   * @returns How it ended; `null` where it was killed.
   * @throws Error where it does not end.
   */
  async live<Result>(
    run: Promise<Result>,
    interrupt: (moves: number) => "kill" | undefined,
  ): Promise<PromiseSettledResult<Result> | null> {
    let ended: PromiseSettledResult<Result> | undefined;
    run.then(
      (value) => {
        ended = { status: "fulfilled", value };
      },
      (reason: unknown) => {
        ended = { status: "rejected", reason };
      },
    );
    const start = Date.now();
    using _held = this.held;
    for (let moves = 1; ; moves++) {
      await this.#settle();
      if (ended !== undefined) return ended;
      if (interrupt(moves) === "kill") return this.#kill();
      if (vi.getTimerCount() === 0) throw new Error("the run waits for something that will never happen");
      if (Date.now() - start > processMsMax) throw new Error(`the run has not ended within ${processMsMax} ms`);
      vi.advanceTimersToNextTimer();
    }
  }

  /** Lets everything happen that needs no time. */
  async #settle(): Promise<void> {
    do {
      if (this.#outstanding > 0) {
        await new Promise<void>((resolve) => {
          this.#heard = resolve;
        });
      }
      await new Promise((resolve) => turn(resolve));
    } while (this.#outstanding > 0 || process.getActiveResourcesInfo().includes("Immediate"));
  }

  #kill(): null {
    this.killed = true;
    vi.clearAllTimers();
    return null;
  }
}

export function never(): Promise<never> {
  return new Promise(() => {});
}

/** Puts the simulated clock in the place of the real one. */
export function simulateTime(): Disposable {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
    now: 0,
  });
  return { [Symbol.dispose]: () => void vi.useRealTimers() };
}
