import type { Random } from "../../../src/core/random.ts";

/** What fills a slot: `{month}`, or with fields `{side.word}` in the wording and `{side.sign}` in the SQL. */
export type SlotValue = string | number | Readonly<Record<string, string | number>>;

/** Requests that differ in their wording and literals alone. */
export interface Pattern {
  readonly slots: Readonly<Record<string, readonly SlotValue[]>>;
  readonly wordings: readonly string[];
  readonly sql: string;
  /** The short way that the policy forbids, where there is one. */
  readonly shortcut?: string;
}

/** Patterns of one kind, and how many tasks to draw from them. */
export interface Family {
  readonly kind: string;
  readonly count: number;
  readonly patterns: readonly Pattern[];
}

/** One pattern with its slots filled. */
export interface Instance {
  readonly prompt: string;
  readonly sql: string;
  readonly shortcut?: string;
}

/** Distinct prompts of a family, shared as evenly among its patterns as their sizes allow. */
export function drawInstances(family: Family, random: Random): Instance[] {
  const pools = family.patterns
    .map((pattern) => random.shuffle(instancesOf(pattern)))
    .sort((left, right) => left.length - right.length);
  const drawn: Instance[] = [];
  for (const [index, pool] of pools.entries()) {
    const share = Math.ceil((family.count - drawn.length) / (pools.length - index));
    drawn.push(...pool.slice(0, share));
  }
  return drawn;
}

/** Every combination of wording and slot values. */
export function instancesOf(pattern: Pattern): Instance[] {
  return combinations(Object.entries(pattern.slots)).flatMap((values) =>
    pattern.wordings.map((wording) => ({
      prompt: fillSlots(wording, values),
      sql: fillSlots(pattern.sql, values),
      ...(pattern.shortcut === undefined ? {} : { shortcut: fillSlots(pattern.shortcut, values) }),
    })),
  );
}

type Values = Readonly<Record<string, SlotValue>>;

function combinations(slots: readonly (readonly [string, readonly SlotValue[]])[]): Values[] {
  return slots.reduce<Values[]>(
    (partial, [name, values]) => partial.flatMap((filled) => values.map((value) => ({ ...filled, [name]: value }))),
    [{}],
  );
}

function fillSlots(template: string, values: Values): string {
  return template.replace(/\{(\w+)(?:\.(\w+))?\}/g, (slot, name: string, field?: string) => {
    const value = values[name];
    const filler = typeof value === "object" ? value[field ?? ""] : value;
    if (filler === undefined) throw new Error(`nothing fills ${slot} in "${template}"`);
    return String(filler);
  });
}
