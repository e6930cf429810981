import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { afterAll, expect } from "vitest";
import { FaradayError } from "../../src/core/errors.ts";

/** Cases a parser, and the seed that they follow from: `FUZZ_SEED=7 FUZZ_RUNS=100000 npx vitest run test/fuzz`. */
export const runCount = Number(process.env.FUZZ_RUNS ?? 10_000);
export const seed = Number(process.env.FUZZ_SEED ?? 1);

/** Of one file of tests; nothing is judged by it. */
export const fuzzTimeout = { timeout: 600_000 };

/** How long one case may hold up the process before it counts as hanging; valid ones take about a millisecond. */
const hangMs = 30_000;
/** It may quote what came once, and not all of it again and again. */
const messageLengthMax = 50_000;

/**
 * Gives a parser {@link runCount} cases. Each is accepted, or refused with a FaradayError whose message is meant for a reader; nothing is left on
 * the prototypes of others. `part` of the cases will do where the same parser has all of them in another way. Fails with the smallest case that fast-check finds, and what to run to see it again.
 */
export async function fuzz<Case>(
  cases: fc.Arbitrary<Case>,
  parse: (given: Case) => unknown,
  { part = 1 }: { readonly part?: number } = {},
): Promise<void> {
  using hanging = new Watchdog(expect.getState().currentTestName ?? "");
  const property = fc.asyncProperty(cases, async (given) => {
    hanging.feed();
    try {
      await parse(given);
    } catch (error) {
      expectClear(error);
    }
    expectCleanPrototypes();
  });
  await fc.assert(property, { seed, numRuns: Math.ceil(runCount * part) });
}

/** A folder in memory, where there is one: tens of thousands of files are written. */
export function scratchFolder(): string {
  const place = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const folder = mkdtempSync(join(place, "faraday-fuzz-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Says how an error is no message for a reader, by throwing. */
export function expectClear(error: unknown): void {
  if (!(error instanceof FaradayError)) throw error;
  expectClearText(error.message);
}

/** What a program says by itself when it was surprised. */
const surprised =
  /\n\s+at .+:\d+:\d+\)?(?:\n|$)|Cannot (?:read|set|convert|mix|destructure)|is not (?:a function|iterable|defined|a constructor)|Maximum call stack|Invalid (?:array|string|typed array) length|out of memory|internal error|\[object \w+\]/;

export function expectClearText(text: string): void {
  expect(text).not.toMatch(surprised);
  expect(text.trim()).not.toBe("");
  expect(text.length).toBeLessThan(messageLengthMax);
}

const ownKeys = [Object.prototype, Array.prototype, Function.prototype].map(
  (prototype) => Reflect.ownKeys(prototype).length,
);

function expectCleanPrototypes(): void {
  const now = [Object.prototype, Array.prototype, Function.prototype].map(
    (prototype) => Reflect.ownKeys(prototype).length,
  );
  if (now.join() !== ownKeys.join()) throw new Error("a prototype has other properties than before");
}

/** Ends this process, with a word on why, where it stands still: a loop without an end cannot be ended from within. */
class Watchdog implements Disposable {
  readonly #beats = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;

  constructor(test: string) {
    const again = `FUZZ_SEED=${seed} FUZZ_RUNS=${runCount} npx vitest run test/fuzz -t ${JSON.stringify(test)}`;
    this.#worker = new Worker(
      `const { workerData: { beats, again, hangMs } } = require("node:worker_threads");
       let last = -1;
       setInterval(() => {
         if (beats[0] === last) {
           require("node:fs").writeSync(2, "fuzz: case " + last + " does not end; again with " + again + "\\n");
           process.kill(process.pid, "SIGKILL");
         }
         last = beats[0];
       }, hangMs);`,
      { eval: true, workerData: { beats: this.#beats, again, hangMs }, execArgv: [] },
    );
    this.#worker.unref();
  }

  feed(): void {
    this.#beats[0] = (this.#beats[0] ?? 0) + 1;
  }

  [Symbol.dispose](): void {
    void this.#worker.terminate();
  }
}
