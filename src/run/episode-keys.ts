import type { Task } from "../core/env.ts";
import type { EpisodeKey } from "../core/episode.ts";
import { attemptId, attemptOf } from "./attempt-name.ts";

/** Where in its run an episode has its place, and under which weights. */
export type EpisodePlace = Pick<EpisodeKey, "phase" | "iteration" | "group" | "index" | "weights">;
type TaskName = Pick<Task, "id" | "split">;

/** Key of the first attempt at an episode. */
export function keyOf({ id: task, split }: TaskName, place: EpisodePlace, seed: number): EpisodeKey {
  const { phase, iteration, group, index, weights } = place;
  return { id: `${phase}-${iteration}-${group}-${index}`, phase, iteration, group, index, weights, task, split, seed };
}

/** Key of another attempt at the same episode. */
export function keyOfAttempt(key: EpisodeKey, attempt: number): EpisodeKey {
  return { ...key, id: attemptId(key.id, attempt) };
}

/**
 * Keys of a worker's task as columns, to cross threads as a few arrays and not as an object an episode. What keys have in common is said once, and
 * their ids follow from the rest.
 */
export interface KeyColumns extends Pick<EpisodeKey, "phase" | "iteration" | "weights"> {
  readonly attempt: number;
  readonly group: Uint32Array;
  readonly index: Uint32Array;
  readonly seed: Uint32Array;
  /** Index into `tasks`. */
  readonly task: Uint32Array;
  /** One for all episodes in a row that have the same. */
  readonly tasks: readonly TaskName[];
}

/** @throws {RangeError} where there is no key, or the keys are not of one attempt at episodes of one batch. */
export function packKeys(keys: readonly EpisodeKey[]): KeyColumns {
  const [first] = keys;
  if (first === undefined) throw new RangeError("expected keys of one batch, got none");
  const { phase, iteration, weights } = first;
  const attempt = attemptOf(first.id);
  const column = () => new Uint32Array(keys.length);
  const [group, index, seed, task] = [column(), column(), column(), column()];
  const tasks: TaskName[] = [];
  for (const [at, key] of keys.entries()) {
    if (key.phase !== phase || key.iteration !== iteration || key.weights !== weights)
      throw new RangeError(`expected keys of one batch, got ${first.id} and ${key.id}`);
    const last = tasks.at(-1);
    if (last?.id !== key.task || last.split !== key.split) tasks.push({ id: key.task, split: key.split });
    group[at] = key.group;
    index[at] = key.index;
    seed[at] = key.seed;
    task[at] = tasks.length - 1;
  }
  return { phase, iteration, weights, attempt, group, index, seed, task, tasks };
}

/** The keys in the order that they were packed. */
export function unpackKeys(columns: KeyColumns): EpisodeKey[] {
  const { phase, iteration, weights, attempt, index, seed, task, tasks } = columns;
  return Array.from(columns.group, (group, at) => {
    const place = { phase, iteration, group, index: index[at] as number, weights };
    const key = keyOf(tasks[task[at] as number] as TaskName, place, seed[at] as number);
    return attempt === 1 ? key : keyOfAttempt(key, attempt);
  });
}
