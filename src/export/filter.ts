import { suggest } from "../config/suggest.ts";
import type { ExportedEpisode } from "./exported-episode.ts";
import { type FilterField, type FilterValue, filterFields } from "./filter-fields.ts";
import { type FilterToken, filterError, filterTokens } from "./filter-tokens.ts";

export type EpisodeFilter = (episode: ExportedEpisode) => boolean;

/**
 * Understands an expression such as `reward>0 and violations=0 and phase=train`: comparisons of a field and a value, `and`, `or`, `not` and
 * parentheses; `and` binds closer than `or`. Nothing is evaluated but what is named in {@link filterFields}.
 * @throws {InputError} with the place and what was expected there.
 */
export function parseFilter(text: string): EpisodeFilter {
  const parser = new FilterParser(text);
  const filter = parser.either();
  parser.end();
  return filter;
}

const signs = ["=", "==", "!=", "<", "<=", ">", ">="] as const;
type Sign = (typeof signs)[number];
/** Deeper than anybody writes; it keeps the parser's own stack small. */
const depthMax = 64;

class FilterParser {
  readonly #text: string;
  readonly #tokens: readonly FilterToken[];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = filterTokens(text);
  }

  either(): EpisodeFilter {
    const parts = [this.#all()];
    while (this.#take("or")) parts.push(this.#all());
    return parts.length === 1 ? (parts[0] as EpisodeFilter) : (episode) => parts.some((part) => part(episode));
  }

  end(): void {
    if (this.#token.kind !== "end") throw this.#error('expected "and", "or" or the end');
  }

  #all(): EpisodeFilter {
    const parts = [this.#one()];
    while (this.#take("and")) parts.push(this.#one());
    return parts.length === 1 ? (parts[0] as EpisodeFilter) : (episode) => parts.every((part) => part(episode));
  }

  #one(): EpisodeFilter {
    if (++this.#depth > depthMax) throw this.#error(`expected at most ${depthMax} parts inside of each other`);
    const filter = this.#negated() ?? this.#inner() ?? this.#comparison();
    this.#depth--;
    return filter;
  }

  #negated(): EpisodeFilter | null {
    if (!this.#take("not")) return null;
    const filter = this.#one();
    return (episode) => !filter(episode);
  }

  #inner(): EpisodeFilter | null {
    if (!this.#take("(")) return null;
    const filter = this.either();
    if (!this.#take(")")) throw this.#error('expected ")"');
    return filter;
  }

  #comparison(): EpisodeFilter {
    const name = this.#token;
    const field = this.#field();
    const sign = signs.find((known) => known === this.#token.text && this.#token.kind === "sign");
    if (sign === undefined) throw this.#error(`expected one of ${signs.join(" ")} after ${name.text}`);
    this.#next++;
    const at = this.#token;
    const value = this.#value(name.text, field);
    const isOrder = sign.startsWith("<") || sign.startsWith(">");
    if (isOrder && typeof value !== "number") {
      throw filterError(this.#text, at.at, `expected a number after ${sign}, since only numbers have an order`);
    }
    return (episode) => compare(field.of(episode), sign, value);
  }

  #field(): FilterField {
    const { kind, text } = this.#token;
    const field = kind === "word" && Object.hasOwn(filterFields, text) ? filterFields[text] : undefined;
    if (field === undefined) {
      const near = kind === "word" ? suggest(text, Object.keys(filterFields)) : undefined;
      const known = near === undefined ? `one of ${Object.keys(filterFields).join(", ")}` : `perhaps ${near}`;
      throw this.#error(`expected a field, ${known}`);
    }
    this.#next++;
    return field;
  }

  #value(name: string, field: FilterField): FilterValue {
    const { kind, text } = this.#token;
    const value = kind === "word" && text === "null" ? null : literalOf(this.#token, field);
    if (value === undefined) throw this.#error(`expected ${expectedOf(field)} for ${name}`);
    this.#next++;
    return value;
  }

  #take(text: string): boolean {
    const { kind, text: given } = this.#token;
    const taken = (kind === "word" || kind === "sign") && given === text;
    if (taken) this.#next++;
    return taken;
  }

  get #token(): FilterToken {
    return this.#tokens[this.#next] as FilterToken;
  }

  #error(expected: string): Error {
    const { kind, text, at } = this.#token;
    return filterError(this.#text, at, `${expected}, got ${kind === "end" ? "the end" : JSON.stringify(text)}`);
  }
}

function literalOf({ kind, text }: FilterToken, { type, values }: FilterField): FilterValue | undefined {
  if (type === "number") return kind === "number" && Number.isFinite(Number(text)) ? Number(text) : undefined;
  if (type === "boolean") return kind === "word" && /^(?:true|false)$/.test(text) ? text === "true" : undefined;
  if (kind === "end" || kind === "sign") return undefined;
  return values === undefined || values.includes(text) ? text : undefined;
}

function expectedOf({ type, values }: FilterField): string {
  if (values !== undefined) return `one of ${values.join(", ")}`;
  if (type === "number") return "a number";
  return type === "boolean" ? "true or false" : "a word or a quoted text";
}

/** What is null equals null alone, and has no order. */
function compare(one: FilterValue, sign: Sign, other: FilterValue): boolean {
  switch (sign) {
    case "=":
    case "==":
      return one === other;
    case "!=":
      return one !== other;
    default:
      if (typeof one !== "number" || typeof other !== "number") return false;
      return sign === "<" ? one < other : sign === "<=" ? one <= other : sign === ">" ? one > other : one >= other;
  }
}
