/**
 * A throw-away process that runs texts with no kernel at all and says what became of the world. Requests and answers are JSON,
 * one a line: { sql, hidden, valueBytes } → { facts, compared, needsLongValues }.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Laboratory, type Observed, type UnguardedFacts } from "./unguarded-facts.ts";
import type { Hidden } from "./world-diff.ts";

export interface UnguardedRequest {
  readonly sql: string;
  readonly hidden: Hidden;
  readonly valueBytes: number;
}

export interface UnguardedAnswer {
  readonly facts: UnguardedFacts;
  /** In the true world and in those that differ where nothing may be read. */
  readonly compared: readonly Observed[];
  readonly needsLongValues: boolean;
}

const laboratory = new Laboratory(readFileSync(process.argv[2] as string, "utf8"));
const facts = new Map<string, UnguardedFacts>();
const answers = new Map<string, string>();

for await (const line of createInterface({ input: process.stdin })) {
  // Policies that hide the same ask the same of a text.
  const answer = answers.get(line) ?? JSON.stringify(answerTo(JSON.parse(line) as UnguardedRequest));
  answers.set(line, answer);
  process.stdout.write(`${answer}\n`);
}

function answerTo({ sql, hidden, valueBytes }: UnguardedRequest): UnguardedAnswer {
  const found = facts.get(sql) ?? laboratory.facts(sql);
  facts.set(sql, found);
  const isShort = !found.isLong;
  const compared = isShort && hidden.worlds.length > 0 ? laboratory.compared(sql, { hidden, wrote: found.wrote }) : [];
  const needsLongValues = isShort && laboratory.needsValuesOf(sql, valueBytes);
  return { facts: found, compared, needsLongValues };
}
