import { recordsOf } from "../../audit/audit-records.ts";
import type { TimedSegment } from "../../core/audit.ts";
import type { BenchRow } from "../../report/bench-report.ts";
import { percentilesOf } from "../../report/quartiles.ts";

/** Records that are looked at: reading them takes longer than making them. */
const recordsMax = 100_000;

/**
 * How long episodes took from their first record to their last, and decisions from a syscall's intent to its outcome, its effect included; in
 * milliseconds. `null` where nobody kept the times, or no episode was recorded.
 */
export function latenciesOf(segments: readonly TimedSegment[]): BenchRow["latency"] {
  const episodes: number[] = [];
  const decisions: number[] = [];
  let read = 0;
  for (const segment of segments) {
    if (read >= recordsMax) break;
    read += segment.count;
    gather(segment, { episodes, decisions });
  }
  if (episodes.length === 0) return null;
  return { episode: percentilesOf(episodes), decision: decisions.length === 0 ? null : percentilesOf(decisions) };
}

function gather(segment: TimedSegment, into: { readonly episodes: number[]; readonly decisions: number[] }): void {
  const { times } = segment;
  if (times === undefined) return;
  const open = new Map<string, { readonly start: number; intent: number }>();
  for (const [index, record] of recordsOf(segment).entries()) {
    if (!("episode" in record)) continue;
    const at = times[index] ?? 0;
    const { episode, kind } = record;
    if (kind === "start") open.set(episode, { start: at, intent: at });
    const begun = open.get(episode);
    if (begun === undefined) continue;
    if (kind === "intent") begun.intent = at;
    if (kind === "outcome") into.decisions.push(at - begun.intent);
    if (kind === "end") into.episodes.push(at - begun.start);
  }
}
