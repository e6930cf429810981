import { InputError } from "../core/errors.ts";

export interface FilterToken {
  readonly kind: "word" | "number" | "text" | "sign" | "end";
  readonly text: string;
  /** Where it begins, from 0. */
  readonly at: number;
}

const lexemes =
  /(?<space>\s+)|(?<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.-]))|(?<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<sign><=|>=|!=|==|[=<>()])|(?<word>[\p{L}_](?:[\p{L}\p{N}_.:/-]*[\p{L}\p{N}_])?)/uy;

/** Cuts a filter into words, numbers, quoted texts and signs. The last token is its end. */
export function filterTokens(filter: string): readonly FilterToken[] {
  const tokens: FilterToken[] = [];
  for (let at = 0; at < filter.length; at = lexemes.lastIndex) {
    lexemes.lastIndex = at;
    const groups = lexemes.exec(filter)?.groups;
    if (groups === undefined) {
      throw filterError(filter, at, `expected a field, a value or a comparison, got ${JSON.stringify(filter[at])}`);
    }
    for (const kind of ["number", "text", "sign", "word"] as const) {
      const text = groups[kind];
      if (text !== undefined) tokens.push({ kind, text: kind === "text" ? unquoted(text) : text, at });
    }
  }
  return [...tokens, { kind: "end", text: "", at: filter.length }];
}

/** Says what is wrong with a filter, where, and shows the place. */
export function filterError(filter: string, at: number, problem: string): InputError {
  return new InputError(`--filter, character ${at + 1}: ${problem}\n  ${filter}\n  ${" ".repeat(at)}^`);
}

function unquoted(text: string): string {
  return text.slice(1, -1).replaceAll(/\\(.)/gu, "$1");
}
