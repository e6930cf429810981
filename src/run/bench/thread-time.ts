import { type BenchPart, benchParts, type ThreadTime } from "../../report/bench-report.ts";
import type { CpuProfile, ProfileNode } from "./cpu-profile.ts";

/**
 * What the code of a file does, by its place in this package; the first that fits holds. Code of Node's own, of packages and of WebAssembly does
 * what the nearest of its callers does that is named here.
 */
const places: readonly (readonly [RegExp, BenchPart])[] = [
  [/\/envs\/.*agent\.[jt]s$/, "model"],
  [/\/envs\//, "environment"],
  [/\/src\/kernel\/drivers\//, "environment"],
  [/\/src\/kernel\/flight-recorder|\/src\/core\/(record-chain|canonical-json)/, "record"],
  [/\/src\/oracle\//, "oracle"],
  [/\/src\/(kernel|runner)\//, "kernel"],
  [/\/src\/model\/|\/src\/run\/.*-player/, "model"],
  [/\/src\/grpo\/|\/src\/run\/(learn|surrogate)/, "learn"],
  [/\/src\/(audit|store)\/|\/src\/run\/(audit-trail|measurement|reconcile)/, "merge"],
  [/\/src\/pool\/|\/piscina\/|\/p-queue\/|\/workers\//, "transfer"],
  [/\/src\/run\/bench\//, "other"],
  [/\/src\/run\/|\/src\/core\/(trajectory|episode-columns|random)/, "transfer"],
  [/^node:internal\/(worker|per_context)/, "transfer"],
];

/** Shares of the profiled time by part, over all given profiles; `null` without one. */
export function threadTime(thread: ThreadTime["thread"], profiles: readonly CpuProfile[]): ThreadTime | null {
  if (profiles.length === 0) return null;
  const parts = Object.fromEntries(benchParts.map((part) => [part, 0])) as Record<BenchPart, number>;
  let whole = 0;
  for (const { nodes, samples, timeDeltas } of profiles) {
    const partOf = partsOf(nodes);
    for (const [index, id] of samples.entries()) {
      const time = Math.max(0, timeDeltas[index] ?? 0);
      parts[partOf.get(id) ?? "other"] += time;
      whole += time;
    }
  }
  for (const part of benchParts) parts[part] = whole === 0 ? 0 : parts[part] / whole;
  return { thread, parts };
}

/** The part of each node of a profile's call tree, by its id. */
function partsOf(nodes: readonly ProfileNode[]): ReadonlyMap<number, BenchPart> {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const found = new Map<number, BenchPart>();
  const partOf = (id: number | undefined): BenchPart => {
    const node = id === undefined ? undefined : byId.get(id);
    if (node === undefined) return "other";
    const known = found.get(node.id);
    if (known !== undefined) return known;
    const part = ownPart(node) ?? partOf(parents.get(node.id));
    found.set(node.id, part);
    return part;
  };
  for (const { id } of nodes) partOf(id);
  return found;
}

function ownPart({ callFrame: { functionName, url } }: ProfileNode): BenchPart | undefined {
  if (functionName === "(idle)") return "idle";
  if (functionName === "(garbage collector)") return "gc";
  return places.find(([place]) => place.test(url))?.[1];
}
