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
const known = new Map<string, UnguardedFacts>();

for await (const line of createInterface({ input: process.stdin })) {
  const { sql, hidden, valueBytes } = JSON.parse(line) as UnguardedRequest;
  const facts = known.get(sql) ?? laboratory.facts(sql);
  known.set(sql, facts);
  const isShort = !facts.isLong;
  const compared = isShort && hidden.worlds.length > 0 ? laboratory.compared(sql, { hidden, wrote: facts.wrote }) : [];
  const needsLongValues = isShort && laboratory.needsValuesOf(sql, valueBytes);
  process.stdout.write(`${JSON.stringify({ facts, compared, needsLongValues } satisfies UnguardedAnswer)}\n`);
}
