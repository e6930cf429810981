import type { RolloutResult } from "../../src/run/rollout.ts";
import type { Fault } from "./faults.ts";

/** The answer of a worker as the faults that happen leave it. */
export function corrupted(result: RolloutResult, happens: (fault: Fault) => boolean): RolloutResult {
  const { episodes, audit } = result;
  // What the worker has sealed is gone in both.
  if (happens("reply-is-none")) return null as never;
  if (happens("reply-is-lost")) throw new Error("what an episode left cannot be cloned");
  if (happens("reply-lacks-an-episode")) {
    return { ...result, episodes: { ...episodes, outcome: episodes.outcome.slice(1) } };
  }
  if (happens("reply-has-nan"))
    return { ...result, episodes: { ...episodes, reward: episodes.reward.map(() => Number.NaN) } };
  if (happens("reply-has-no-records"))
    return { ...result, audit: { ...audit, bytes: undefined as unknown as Uint8Array } };
  if (happens("reply-has-other-records")) return { ...result, audit: { ...audit, bytes: flipped(audit.bytes) } };
  return result;
}

function flipped<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
  const copy = bytes.slice() as Bytes;
  const middle = copy.length >> 1;
  copy[middle] = (copy[middle] ?? 0) ^ 1;
  return copy;
}
