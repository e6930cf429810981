import { hash, randomFillSync } from "node:crypto";
import { BadValueError, UnknownIdError } from "../../store-errors.ts";

/** How the ids of rollouts begin that are a training run's episodes: what follows is their key, in 11 hexadecimal digits. */
const episodePrefix = "ro-0";

export function newRolloutId(): string {
  const digits = randomDigits(12);
  return digits.startsWith("0") ? newRolloutId() : `ro-${digits}`;
}

/** The same for the same key and index, and otherwise as random as any. */
export function rolloutIdOf(key: string, index: number): string {
  const digits = hash("sha256", JSON.stringify([key, index]), "hex").slice(0, 12);
  return `ro-${digits.startsWith("0") ? `f${digits.slice(1)}` : digits}`;
}

export function newAttemptId(): string {
  return `at-${randomDigits(8)}`;
}

export function newResourcesId(): string {
  return `rs-${randomDigits(12)}`;
}

/** The key of the episode that a rollout id stands for; `null` for those of the queue. */
export function episodeKeyOf(rolloutId: string): number | null {
  return /^ro-0[0-9a-f]{11}$/.test(rolloutId) ? Number.parseInt(rolloutId.slice(episodePrefix.length), 16) : null;
}

export function episodeIds(key: number): { readonly rollout_id: string; readonly attempt_id: string } {
  const digits = key.toString(16).padStart(11, "0");
  return { rollout_id: `${episodePrefix}${digits}`, attempt_id: `at-${digits.slice(-8)}` };
}

/** @throws {BadValueError} for the id of an episode: what a training run has stored is not changed from outside. */
export function checkChangeable(rolloutId: string): void {
  if (episodeKeyOf(rolloutId) === null) return;
  throw new BadValueError(`rollout ${rolloutId} is an episode of a training run and cannot be changed`);
}

export function unknownRollout(rolloutId: string): UnknownIdError {
  return new UnknownIdError(`Rollout ${rolloutId} not found`);
}

export function unknownAttempt(rolloutId: string, attemptId: string): UnknownIdError {
  return new UnknownIdError(`Attempt ${attemptId} not found for rollout ${rolloutId}`);
}

/** Random digits are made in advance: asking the system for a few of them took longer than a statement. */
const pool = { bytes: Buffer.alloc(4096), used: 4096 };

function randomDigits(count: number): string {
  const start = pool.used + count / 2 > pool.bytes.length ? 0 : pool.used;
  if (start === 0) randomFillSync(pool.bytes);
  pool.used = start + count / 2;
  return pool.bytes.toString("hex", start, pool.used);
}
