import type { Random } from "../core/random.ts";
import type { Demonstration } from "./literal-swap.ts";

/** Values by column name in lower case: what may stand in the place of a literal that is compared with such a column. */
export type ColumnValues = ReadonlyMap<string, readonly string[]>;

/** A quoted string, or a number that is no part of a word, after the column that it is compared with, or `LIMIT`. */
const comparedLiteral =
  /((?:(\w+)["`\]]?\s*(?:=|!=|<>|<=|>=|<|>|\blike\b|\bin\s*\()|\b(limit)\b)\s*)('(?:[^']|'')*'|\d+(?:\.\d+)?(?![\w.]))/giu;

/** Share of the exchanges that take a value of the database where there is one; the rest take one that a demonstration holds. */
const databaseShare = 0.7;

interface Literal {
  readonly column: string;
  /** As a question would have it: no quotes, no wildcards. */
  readonly text: string;
  readonly isText: boolean;
}

/**
 * Draws variants of demonstrations as {@link LiteralSwap} does, for the case that few are given: a literal is exchanged for any value of the
 * column that it is compared with, from other demonstrations and from the database. Literals may have several words, and another case or
 * no doubled quotes in the prompt. So a model copies names that no question held.
 */
export class ValueSwap {
  /** Every occurrence in demonstrations, so that a literal is drawn as often as it is seen. */
  readonly #seen = new Map<string, string[]>();
  readonly #values: ColumnValues;
  readonly #reserved: ReadonlySet<string>;

  /** @param reserved Prompts that must not arise, such as those of the test split. */
  constructor(demonstrations: readonly Demonstration[], values: ColumnValues, reserved: ReadonlySet<string>) {
    this.#values = values;
    this.#reserved = reserved;
    const literals = demonstrations.flatMap(({ actions }) => actions.flatMap(literalsOf));
    for (const { column, text, isText } of literals) {
      const key = poolKey(column, isText);
      const pool = this.#seen.get(key);
      if (pool) pool.push(text);
      else this.#seen.set(key, [text]);
    }
  }

  /** A variant, or the demonstration itself where nothing can be exchanged, or what was seen would no longer be true. */
  draw<T extends Demonstration>(demonstration: T, random: Random): T {
    if (demonstration.observations.length > 0) return demonstration;
    const exchanges = this.#exchanges(demonstration, random);
    const prompt = exchangeInPrompt(demonstration.prompt, exchanges);
    if (prompt === null || this.#reserved.has(prompt)) return demonstration;
    return {
      ...demonstration,
      prompt,
      actions: demonstration.actions.map((text) => exchangeInAction(text, exchanges)),
    };
  }

  /** New texts by {@link exchangeKey} for the literals that the prompt says once. */
  #exchanges({ prompt, actions }: Demonstration, random: Random): Map<string, { from: string; to: string }> {
    const exchanges = new Map<string, { from: string; to: string }>();
    const literals = actions.flatMap(literalsOf);
    for (const literal of literals) {
      const key = exchangeKey(literal);
      // A text that is compared with two columns would need a value of both.
      const alone = literals.every((other) => other.text !== literal.text || exchangeKey(other) === key);
      if (exchanges.has(key) || !alone || occurrences(prompt, literal.text) !== 1) continue;
      const to = this.#draw(literal, random);
      const taken = [...exchanges.values()].some((other) => other.to.toLowerCase() === to.toLowerCase());
      if (!taken) exchanges.set(key, { from: literal.text, to });
    }
    return exchanges;
  }

  #draw({ column, isText }: Literal, random: Random): string {
    const stored = isText ? (this.#values.get(column) ?? []) : [];
    if (stored.length > 0 && random.next() < databaseShare) return random.pick(stored);
    return random.pick(this.#seen.get(poolKey(column, isText)) ?? []);
  }
}

function literalsOf(action: string): Literal[] {
  return [...action.matchAll(comparedLiteral)].map(([, , column, limit, literal = ""]) =>
    literalOf(column ?? limit ?? "", literal),
  );
}

function literalOf(column: string, literal: string): Literal {
  const isText = literal.startsWith("'");
  const text = isText ? literal.slice(1, -1).replaceAll("''", "'").replace(/^%|%$/g, "") : literal;
  return { column: column.toLowerCase(), text, isText };
}

function poolKey(column: string, isText: boolean): string {
  return `${isText ? "text" : "number"} ${column}`;
}

function exchangeKey({ column, text, isText }: Literal): string {
  return `${poolKey(column, isText)} ${text}`;
}

function exchangeInAction(action: string, exchanges: ReadonlyMap<string, { from: string; to: string }>): string {
  return action.replace(comparedLiteral, (whole, before: string, column?: string, limit?: string, literal = "") => {
    const found = literalOf(column ?? limit ?? "", literal);
    const to = exchanges.get(exchangeKey(found))?.to;
    if (to === undefined) return whole;
    if (!found.isText) return before + to;
    const [start, end] = [literal.startsWith("'%") ? "'%" : "'", literal.endsWith("%'") ? "%'" : "'"];
    return before + start + to.replaceAll("'", "''") + end;
  });
}

/** `null` where the places of two literals overlap. */
function exchangeInPrompt(prompt: string, exchanges: ReadonlyMap<string, { from: string; to: string }>): string | null {
  const places = [...exchanges.values()].map(({ from, to }) => {
    const found = [...prompt.matchAll(wholeWord(from))][0] as RegExpExecArray;
    return { start: found.index, end: found.index + found[0].length, text: cased(to, { from, found: found[0] }) };
  });
  places.sort((a, b) => a.start - b.start);
  if (places.some(({ start }, index) => index > 0 && start < (places[index - 1]?.end ?? 0))) return null;
  return places.reduceRight((text, { start, end, text: put }) => text.slice(0, start) + put + text.slice(end), prompt);
}

/** A value as the prompt would write it, if it writes `from` as `found`. */
function cased(to: string, { from, found }: { readonly from: string; readonly found: string }): string {
  if (found === from) return to;
  if (found === found.toLowerCase()) return to.toLowerCase();
  if (found === found.toUpperCase()) return to.toUpperCase();
  return to.replace(/(?<![\p{L}\p{N}])\p{L}/gu, (letter) => letter.toUpperCase());
}

function wholeWord(literal: string): RegExp {
  const escaped = literal.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&");
  return new RegExp(`(?<![\\p{L}\\p{N}_])${escaped}(?![\\p{L}\\p{N}_])`, "giu");
}

function occurrences(text: string, literal: string): number {
  return literal === "" ? 0 : (text.match(wholeWord(literal))?.length ?? 0);
}
