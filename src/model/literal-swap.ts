import type { Random } from "../core/random.ts";

/** A request and what a demonstrator did about it. */
export interface Demonstration {
  readonly prompt: string;
  readonly actions: readonly string[];
  /** What was seen between the actions. */
  readonly observations: readonly string[];
}

/** A quoted string, or a number that is no part of a word. */
const literalPattern = /'(?:[^']|'')*'|(?<![\w.'])\d+(?:\.\d+)?(?![\w.'])/gu;

/**
 * Draws variants of demonstrations by exchanging literals that an action copied from its prompt for others that were seen in the
 * same place of the same action, in prompt and actions alike (the recombination of Jia and Liang 2016, section 4, on literals
 * alone). A model trained on them learns to copy rather than to remember.
 */
export class LiteralSwap {
  /** Every occurrence, so that a literal is drawn as often as it is seen. */
  readonly #pools = new Map<string, string[]>();
  readonly #reserved: ReadonlySet<string>;

  /** @param reserved Prompts that must not arise, such as those of the test split. */
  constructor(demonstrations: readonly Demonstration[], reserved: ReadonlySet<string>) {
    this.#reserved = reserved;
    for (const { actions } of demonstrations) {
      for (const action of actions) {
        literalsOf(action).forEach((literal, place) => {
          const key = poolKey(action, place);
          const pool = this.#pools.get(key);
          if (pool) pool.push(literal);
          else this.#pools.set(key, [literal]);
        });
      }
    }
  }

  /** A variant, or the demonstration itself where nothing can be exchanged, or what was seen would no longer be true. */
  draw<T extends Demonstration>(demonstration: T, random: Random): T {
    const exchanges = new Map<string, string>();
    for (const action of demonstration.actions) {
      literalsOf(action).forEach((literal, place) => {
        const pool = this.#pools.get(poolKey(action, place)) ?? [];
        const other = random.pick(pool);
        const copied = occurrences(demonstration.prompt, literal) === 1;
        if (copied && !exchanges.has(literal) && ![...exchanges.values()].includes(other))
          exchanges.set(literal, other);
      });
    }
    const prompt = exchange(demonstration.prompt, exchanges);
    const seen = demonstration.observations.some((text) => exchange(text, exchanges) !== text);
    if (seen || this.#reserved.has(prompt)) return demonstration;
    return { ...demonstration, prompt, actions: demonstration.actions.map((action) => exchange(action, exchanges)) };
  }
}

function literalsOf(action: string): string[] {
  return (action.match(literalPattern) ?? []).map(bare);
}

/** Which literals are alike: those at the same place of actions that differ in their literals alone. */
function poolKey(action: string, place: number): string {
  return `${place} ${action.replace(literalPattern, "?")}`;
}

/** A literal without its quotes, and without what only `LIKE` reads. */
function bare(literal: string): string {
  return literal.replace(/^'%?|%?'$/gu, "");
}

function wholeWord(literal: string): RegExp {
  const escaped = literal.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&");
  return new RegExp(`(?<![\\p{L}\\p{N}_])${escaped}(?![\\p{L}\\p{N}_])`, "gu");
}

function occurrences(text: string, literal: string): number {
  return literal === "" ? 0 : (text.match(wholeWord(literal))?.length ?? 0);
}

/** All exchanges at once, so that one never changes what another put in. */
function exchange(text: string, exchanges: ReadonlyMap<string, string>): string {
  if (exchanges.size === 0) return text;
  const longestFirst = [...exchanges.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map((literal) => wholeWord(literal).source).join("|"), "gu");
  return text.replace(pattern, (literal) => exchanges.get(literal) ?? literal);
}
