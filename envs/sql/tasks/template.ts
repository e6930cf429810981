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
  const patterns = family.patterns.toSorted((left, right) => sizeOf(left) - sizeOf(right));
  const drawn: Instance[] = [];
  for (const [index, pattern] of patterns.entries()) {
    const share = Math.ceil((family.count - drawn.length) / (patterns.length - index));
    const places = random.shuffle([...Array(sizeOf(pattern)).keys()]).slice(0, share);
    drawn.push(...places.map((place) => instanceAt(pattern, place)));
  }
  return drawn;
}

/** How many combinations of wording and slot values a pattern has. */
function sizeOf({ wordings, slots }: Pattern): number {
  return Object.values(slots).reduce((size, values) => size * values.length, wordings.length);
}

/** The combination at a place from 0 to {@link sizeOf}, whose digits in a mixed radix choose wording and values. */
function instanceAt({ wordings, slots, sql, shortcut }: Pattern, place: number): Instance {
  let rest = place;
  const choose = <T>(items: readonly T[]): T => {
    const chosen = items[rest % items.length] as T;
    rest = Math.floor(rest / items.length);
    return chosen;
  };
  const wording = choose(wordings);
  const values = Object.fromEntries(Object.entries(slots).map(([name, items]) => [name, choose(items)]));
  const filled = { prompt: fillSlots(wording, values), sql: fillSlots(sql, values) };
  return shortcut === undefined ? filled : { ...filled, shortcut: fillSlots(shortcut, values) };
}

type Values = Readonly<Record<string, SlotValue>>;

function fillSlots(template: string, values: Values): string {
  return template.replace(/\{(\w+)(?:\.(\w+))?\}/g, (slot, name: string, field?: string) => {
    const value = values[name];
    const filler = typeof value === "object" ? value[field ?? ""] : value;
    if (filler === undefined) throw new Error(`nothing fills ${slot} in "${template}"`);
    return String(filler);
  });
}
