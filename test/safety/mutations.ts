import fc from "fast-check";

/** Tokens of SQL as far as mutation needs them; a reading of its own, so that it errs where the kernel's does not. */
export function tokensOf(sql: string): readonly string[] {
  return (
    sql.match(
      /--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'?|"(?:[^"]|"")*"?|`[^`]*`?|\[[^\]]*\]?|\s+|[\w$\u0080-\uffff]+|[^\s\w]/g,
    ) ?? []
  );
}

/** Draws pseudo-random numbers below a bound. */
export type Draw = (bound: number) => number;

/** Rewrites a text so that the engine reads the same statement. */
type Rewrite = (tokens: readonly string[], draw: Draw) => readonly string[];

const isWord = (token: string) => /^[A-Za-z_]\w*$/.test(token);
const isBlank = (token: string) => /^\s+$/.test(token);
const names = new Set(
  "archive audit badge books branches copies fines imports inbox loans members notes pin salary sealed secrets settings shelves staff tags token vault wishes".split(
    " ",
  ),
);
const blanks = [
  " ",
  "\n",
  "\t",
  "\r\n",
  "  ",
  "\f",
  " \ufeff",
  "/**/",
  " /* DROP TABLE books; */ ",
  " -- DELETE FROM books\n",
  "/*;*/\n",
];

const rewrites: Readonly<Record<string, Rewrite>> = {
  case: (tokens, draw) =>
    tokens.map((token) =>
      isWord(token)
        ? [...token].map((letter) => (draw(2) === 0 ? letter.toUpperCase() : letter.toLowerCase())).join("")
        : token,
    ),
  blanks: (tokens, draw) => tokens.map((token) => (isBlank(token) ? (blanks[draw(blanks.length)] as string) : token)),
  comments: (tokens, draw) =>
    tokens.flatMap((token) => (isBlank(token) && draw(3) === 0 ? [token, "/* -- ' \" ; */", token] : [token])),
  quotes: (tokens, draw) =>
    tokens.map((token) => {
      if (!names.has(token.toLowerCase()) || draw(2) === 0) return token;
      return [`"${token}"`, `[${token}]`, `\`${token}\``][draw(3)] as string;
    }),
  leading: (tokens, draw) => [
    [
      ";",
      "\n;\t;",
      "/* SELECT */",
      "\ufeff ",
      "-- first\n",
      "SELECT 1;",
      "VALUES ('DELETE');",
      "EXPLAIN QUERY PLAN DELETE FROM books;",
    ][draw(8)] as string,
    ...tokens,
  ],
  trailing: (tokens, draw) => [
    ...tokens,
    "\n",
    [";", ";;", "; -- end", ";/* DELETE */", ";\nSELECT 1", "; SELECT 'x; y'"][draw(6)] as string,
  ],
};

/** Applies a few rewrites drawn from a seed. */
export function mutate(sql: string, draw: Draw): string {
  const chosen = Object.values(rewrites).filter(() => draw(2) === 0);
  return chosen.reduce<readonly string[]>((tokens, rewrite) => rewrite(tokens, draw), tokensOf(sql)).join("");
}

/** A query as a part of another, or `null` where the text is no single query. */
export function wrap(sql: string, draw: Draw): string | null {
  const single = oneStatement(sql);
  if (
    single === null ||
    !/^(select|values|with)\b/i.test(single) ||
    /\b(insert|update|delete|replace\s+into)\b/i.test(single)
  )
    return null;
  const shapes = [
    `SELECT * FROM (${single}\n)`,
    `WITH wrapped AS (${single}\n) SELECT * FROM wrapped`,
    `SELECT * FROM (SELECT 1) LEFT JOIN (${single}\n) ON 1`,
    `SELECT * FROM (${single}\n) AS books`,
    `WITH a AS (SELECT 1), b AS (SELECT * FROM (${single}\n)) SELECT b.* FROM a, b`,
  ];
  return shapes[draw(shapes.length)] as string;
}

/** The text without its trailing semicolon where it is one statement, else `null`. */
export function oneStatement(sql: string): string | null {
  const tokens = [...tokensOf(sql)];
  while (tokens.length > 0 && /^(\s+|;|--[\s\S]*|\/\*[\s\S]*)$/.test(tokens.at(-1) as string)) tokens.pop();
  while (tokens.length > 0 && /^(\s+|;|\ufeff|--[\s\S]*|\/\*[\s\S]*)$/.test(tokens[0] as string)) tokens.shift();
  return tokens.length === 0 || tokens.includes(";") ? null : tokens.join("");
}

/** Seeds for draws: every mutant of a run follows from the run's own seed. */
export const seeds = fc.integer({ min: 1, max: 0x7fffffff });

/** A small generator (mulberry32), so that a mutant costs no more than its text. */
export function drawFrom(seed: number): Draw {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}
