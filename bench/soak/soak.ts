import { type Census, grownHandles, takeCensus, takeSettledCensus } from "./census.ts";

/** Something that is done over and over and must leave nothing behind. */
export interface Activity {
  readonly name: string;
  /** Times that it is done, warm-up not counted. */
  readonly count: number;
  /** Of growth over all of them; {@link settlingBytes} where nothing is kept. */
  readonly bytesMax: number;
  /** What is done, so many times, with everything closed at its end; it calls `each` after each. */
  readonly work: (times: number, each: () => void) => Promise<void>;
  /** Count while it goes on, memory and threads alone: for what must not grow before it is closed. */
  readonly within?: boolean;
}

/** Growth that is none: what functions that run late for the first time set up, and caches that fill up. Compiled code is not counted. */
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
export async function soak(activity: Activity): Promise<Soaked> {
  const { name, count, bytesMax, within = false } = activity;
  const { before, after, seconds } = within ? await countWithin(activity) : await countAround(activity);
  const bytesGrown = after.bytes - before.bytes;
  const left = [...grownHandles(before.handles, after.handles)];
  if (bytesGrown > bytesMax) left.push(`${bytesGrown} bytes, at most ${bytesMax} expected`);
  return { name, count, seconds, bytesGrown, before, after, left };
}

interface Counted {
  readonly before: Census;
  readonly after: Census;
  readonly seconds: number;
}

const warmUpOf = (count: number) => Math.ceil(count / 4);

async function countAround({ count, work }: Activity): Promise<Counted> {
  await work(warmUpOf(count), () => {});
  const before = await takeSettledCensus();
  const started = performance.now();
  await work(count, () => {});
  const seconds = (performance.now() - started) / 1000;
  return { before, after: await takeSettledCensus(before), seconds };
}

async function countWithin({ name, count, work }: Activity): Promise<Counted> {
  const warmUp = warmUpOf(count);
  const taken: (Census & { readonly at: number })[] = [];
  let done = 0;
  await work(warmUp + count, () => {
    done++;
    if (done === warmUp || done === warmUp + count)
      taken.push({ ...withoutPassing(takeCensus()), at: performance.now() });
  });
  const [before, after] = taken;
  if (before === undefined || after === undefined) throw new Error(`${name} was done ${done} times`);
  return { before, after, seconds: (after.at - before.at) / 1000 };
}

/** Files and requests come and go while work goes on. */
function withoutPassing({ handles: { threads = 0 }, bytes }: Census): Census {
  return { handles: { threads }, bytes };
}
