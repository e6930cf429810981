import { hash } from "node:crypto";

/** 32 hexadecimal digits: one trace an episode. */
export function traceIdOf(run: string, episode: string): string {
  return hash("sha256", JSON.stringify([run, episode]), "hex").slice(0, 32);
}

/**
 * 16 hexadecimal digits for a part of an episode, such as `step 3`. `attempt` is empty for the attempt that counts
 * and tells others apart.
 */
export function spanIdOf(traceId: string, attempt: string, part: string): string {
  return hash("sha256", `${traceId} ${attempt} ${part}`, "hex").slice(0, 16);
}
