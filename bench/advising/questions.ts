import type { Split } from "../../src/core/env.ts";
import { Random } from "../../src/core/random.ts";
import { advisingTemplates } from "./templates.ts";
import { advisingNames, buildings, cities, days, departments, programs, terms } from "./world.ts";

/** An entry as Spider-like files have it, with its split. */
export interface AdvisingQuestion {
  readonly db_id: "advising";
  readonly question: string;
  readonly query: string;
  readonly split: Split;
}

/** Repeated questions are left out, so fewer than this remain. */
const drawCount = 720;
const testShare = 0.25;
const valShare = 0.08;

/**
 * Questions of a university's advising office, a few hundred to train on. Templates are drawn unevenly, as people ask: some hardly ever. No
 * question is in two splits.
 */
export function advisingQuestions(): AdvisingQuestion[] {
  const random = new Random(5);
  const weights = advisingTemplates.map(() => 0.3 + random.next() ** 2 * 2);
  const seen = new Set<string>();
  const questions: AdvisingQuestion[] = [];
  for (let draw = 0; draw < drawCount; draw++) {
    const share = random.next();
    const split = share < testShare ? "test" : share < testShare + valShare ? "val" : "train";
    const { sql, questions: ways } = advisingTemplates[drawn(weights, random)] as (typeof advisingTemplates)[number];
    const values = new Map<string, string>();
    const fill = (text: string) =>
      text.replace(/\{(\w+)(?::(\d+)-(\d+))?\}/g, (_, slot: string, from?: string, to?: string) => {
        const known = values.get(slot);
        if (known !== undefined) return known;
        const value =
          from === undefined
            ? literalOf(slot, split, random)
            : String(Number(from) + random.below(Number(to) - Number(from) + 1));
        values.set(slot, value);
        return value;
      });
    const query = fill(sql);
    const question = fill(random.pick(ways));
    if (seen.has(question)) continue;
    seen.add(question);
    questions.push({ db_id: "advising", question, query, split });
  }
  return questions;
}

const { courses, instructors, students } = advisingNames();
const literals: Readonly<Record<string, readonly string[]>> = {
  ...{ course: courses, instructor: instructors, student: students, department: departments, city: cities },
  ...{ building: buildings, term: terms, day: days, program: programs },
};

/** Training knows three quarters of the names of a long list; tests draw from all. */
function literalOf(slot: string, split: Split, random: Random): string {
  const all = literals[slot];
  if (all === undefined) throw new Error(`no literals for {${slot}}`);
  const known = all.length > 6 ? all.slice(0, Math.ceil(all.length * 0.75)) : all;
  return random.pick(split === "test" ? all : known);
}

function drawn(weights: readonly number[], random: Random): number {
  let place = random.next() * weights.reduce((sum, weight) => sum + weight, 0);
  const found = weights.findIndex((weight) => {
    place -= weight;
    return place < 0;
  });
  return found < 0 ? weights.length - 1 : found;
}
