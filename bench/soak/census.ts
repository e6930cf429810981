import { readdirSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What the process holds at one moment. */
export interface Census {
  /** What keeps the event loop alive, by kind, how many; `descriptors` and `threads` of the process where the system tells them. */
  readonly handles: Readonly<Record<string, number>>;
  /** Of this thread, after garbage collection: the heap without compiled code, which grows as long as any function becomes hot, and what it holds outside. */
  readonly bytes: number;
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Counts now, without waiting for what is about to close. */
export function takeCensus(): Census {
  // What finalisers let go of in the first is collected in the second.
  collect();
  collect();
  return { handles: countHandles(), bytes: dataBytes() + process.memoryUsage().external };
}

/** Counts once handles are no more than those of `before`, or have had a second to be: closing ends a little later than it says. */
export async function takeSettledCensus(before?: Census): Promise<Census> {
  for (let turn = 0; turn < 50; turn++) {
    await pause(20);
    if (before !== undefined && grownHandles(before.handles, countHandles()).length === 0) break;
    if (before === undefined && turn >= 10) break;
  }
  return takeCensus();
}

/** In words, what there is more of: `descriptors 24 → 25`. */
export function grownHandles(before: Census["handles"], after: Census["handles"]): readonly string[] {
  return Object.entries(after).flatMap(([kind, count]) => {
    const was = before[kind] ?? 0;
    return count > was ? [`${kind} ${was} → ${count}`] : [];
  });
}

/** Bytecode, machine code and what describes it are in spaces of their own. */
function dataBytes(): number {
  const spaces = getHeapSpaceStatistics().filter(({ space_name }) => !/code|trusted/u.test(space_name));
  return spaces.reduce((sum, { space_used_size }) => sum + space_used_size, 0);
}

function countHandles(): Record<string, number> {
  const resources = Object.groupBy(process.getActiveResourcesInfo(), (kind) => kind);
  const counts = Object.fromEntries(Object.entries(resources).map(([kind, all]) => [kind, all?.length ?? 0]));
  return { ...counts, ...countOf("descriptors", "/proc/self/fd"), ...countOf("threads", "/proc/self/task") };
}

function countOf(name: string, folder: string): Record<string, number> {
  if (process.platform !== "linux") return {};
  return { [name]: readdirSync(folder).length };
}
