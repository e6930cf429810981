import { Session } from "node:inspector/promises";
import type { CPUProfileHandle } from "node:v8";
import type { Worker } from "node:worker_threads";

/** What V8's sampling profiler says of one thread: samples of its stack, and the microseconds before each. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/** Profiles the main thread and workers while something runs, which it slows by some percent: measure something else meanwhile. */
export async function profileThreads(
  threads: Readonly<Record<"workers" | "store", readonly Worker[]>>,
  run: () => Promise<unknown>,
): Promise<{ readonly main: CpuProfile } & Readonly<Record<"workers" | "store", readonly CpuProfile[]>>> {
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    const handles = { workers: await startAll(threads.workers), store: await startAll(threads.store) };
    await session.post("Profiler.start");
    await run();
    const { profile } = await session.post("Profiler.stop");
    return {
      main: profile as CpuProfile,
      workers: await stopAll(handles.workers),
      store: await stopAll(handles.store),
    };
  } finally {
    session.disconnect();
  }
}

function startAll(workers: readonly Worker[]): Promise<readonly CPUProfileHandle[]> {
  return Promise.all(workers.map((worker) => worker.startCpuProfile()));
}

async function stopAll(handles: readonly CPUProfileHandle[]): Promise<readonly CpuProfile[]> {
  const texts = await Promise.all(handles.map((handle) => handle.stop()));
  return texts.map((text) => JSON.parse(text) as CpuProfile);
}
