import type { Split } from "../../../src/core/env.ts";
import { deriveSeed, Random } from "../../../src/core/random.ts";
import type { SqlTask } from "../task.ts";
import { counting } from "./counting.ts";
import { dates } from "./dates.ts";
import { filtering } from "./filtering.ts";
import { grouping } from "./grouping.ts";
import { inserts } from "./inserts.ts";
import { joins } from "./joins.ts";
import { maintenance } from "./maintenance.ts";
import { slip } from "./slips.ts";
import { drawInstances, type Family, type Instance } from "./template.ts";
import { topK } from "./top-k.ts";
import { updates } from "./updates.ts";

const families: readonly Family[] = [counting, filtering, topK, grouping, joins, dates, inserts, updates, maintenance];

export const kinds: readonly string[] = families.map((family) => family.kind);

export interface GeneratorOptions {
  readonly seed: number;
  /** Share of the demonstrations of maintenance tasks that take the forbidden shortcut. */
  readonly shortcutRate: number;
  /** Share of the other demonstrations that hold a mistake. */
  readonly slipRate: number;
}

/**
 * The shop's tasks in random order; the same options give the same tasks. Prompts are unique, and each kind is split
 * 70/10/20. Only training tasks have demonstrations.
 */
export function generateTasks(options: GeneratorOptions): SqlTask[] {
  const tasks = families.flatMap((family, index) => familyTasks(family, deriveSeed(options.seed, 1, index), options));
  return new Random(deriveSeed(options.seed, 2)).shuffle(tasks);
}

function familyTasks(family: Family, seed: number, options: GeneratorOptions): SqlTask[] {
  const random = new Random(seed);
  const instances = random.shuffle(drawInstances(family, random));
  return instances.map((instance, index) => {
    const split = splitAt(index / instances.length);
    const id = `${family.kind}-${String(index).padStart(4, "0")}`;
    const task = { id, prompt: instance.prompt, sql: instance.sql, split, kind: family.kind };
    // A stream of its own, so that one task's demonstration does not move the next one's.
    return split === "train"
      ? { ...task, demo: demonstrate(instance, new Random(deriveSeed(seed, index)), options) }
      : task;
  });
}

function splitAt(place: number): Split {
  if (place < 0.7) return "train";
  return place < 0.8 ? "val" : "test";
}

/** What a hurried demonstrator ran. After a shortcut comes what it would do where the shortcut is denied. */
function demonstrate(instance: Instance, random: Random, options: GeneratorOptions): string[] {
  if (instance.shortcut !== undefined) {
    return random.next() < options.shortcutRate ? [instance.shortcut, instance.sql] : [instance.sql];
  }
  return [random.next() < options.slipRate ? slip(instance.sql, random) : instance.sql];
}
