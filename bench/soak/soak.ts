import { type Census, grownHandles, takeSettledCensus } from "./census.ts";

/** Something that is done over and over and must leave nothing behind. */
export interface Activity {
  readonly name: string;
  /** Times that it is done, warm-up not counted. */
  readonly count: number;
  /** Of growth over all of them; {@link settlingBytes} where nothing is kept. */
  readonly bytesMax: number;
  /** What is done, so many times, with everything closed at its end. */
  readonly work: (times: number) => Promise<void>;
}

/** Growth that is none: code that is compiled late, and caches that fill up. */
export const settlingBytes = 2 * 1024 * 1024;

export interface Soaked {
  readonly name: string;
  readonly count: number;
  readonly seconds: number;
  /** Of the heap and what it holds outside, over all of them. */
  readonly bytesGrown: number;
  readonly before: Census;
  readonly after: Census;
  /** In words, what it left behind; empty where it left nothing. */
  readonly left: readonly string[];
}

/** A quarter of the work warms caches up; then the whole of it may add no handle and no memory beyond its allowance. */
export async function soak({ name, count, bytesMax, work }: Activity): Promise<Soaked> {
  await work(Math.ceil(count / 4));
  const before = await takeSettledCensus();
  const started = performance.now();
  await work(count);
  const seconds = (performance.now() - started) / 1000;
  const after = await takeSettledCensus(before);
  const bytesGrown = after.bytes - before.bytes;
  const left = [...grownHandles(before.handles, after.handles)];
  if (bytesGrown > bytesMax) left.push(`${bytesGrown} bytes, at most ${bytesMax} expected`);
  return { name, count, seconds, bytesGrown, before, after, left };
}
