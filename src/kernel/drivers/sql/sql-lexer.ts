/**
 * SQLite's tokens, as far as intent needs them: it tells words from what is quoted or commented. It decides nothing
 * about texts that compile; there the engine itself says what they do.
 */
export type SqlTokenKind = "word" | "quoted" | "string" | "symbol" | "end";

export class SqlLexer {
  readonly sql: string;
  kind: SqlTokenKind = "end";
  start: number;
  end: number;

  constructor(sql: string, from = 0) {
    this.sql = sql;
    this.start = from;
    this.end = from;
  }

  /** Moves to the next token; blanks and comments are skipped. */
  next(): SqlTokenKind {
    this.start = skipBlank(this.sql, this.end);
    if (this.start >= this.sql.length || this.sql[this.start] === "\0") {
      this.end = this.start;
      this.kind = "end";
      return this.kind;
    }
    const first = this.sql[this.start] as string;
    if (first === "'") this.#quoted("'", "string");
    else if (first === '"' || first === "`") this.#quoted(first, "quoted");
    else if (first === "[") this.#bracketed();
    else if (isWordPart(first)) this.#word();
    else {
      this.end = this.start + 1;
      this.kind = "symbol";
    }
    return this.kind;
  }

  /** The token as the engine compares it: unquoted, in lower case. */
  text(): string {
    const raw = this.sql.slice(this.start, this.end);
    if (this.kind === "word" || this.kind === "symbol") return raw.toLowerCase();
    const quote = raw[0] as string;
    const closed = raw.length > 1 && raw.at(-1) === (quote === "[" ? "]" : quote);
    const inner = raw.slice(1, closed ? -1 : undefined);
    return (quote === "[" ? inner : inner.replaceAll(quote + quote, quote)).toLowerCase();
  }

  #word(): void {
    let end = this.start + 1;
    while (end < this.sql.length && isWordPart(this.sql[end] as string)) end++;
    this.end = end;
    this.kind = "word";
  }

  #quoted(quote: string, kind: SqlTokenKind): void {
    let end = this.start + 1;
    for (; end < this.sql.length; end++) {
      if (this.sql[end] !== quote) continue;
      if (this.sql[end + 1] !== quote) break;
      end++;
    }
    this.end = Math.min(end + 1, this.sql.length);
    this.kind = kind;
  }

  #bracketed(): void {
    const end = this.sql.indexOf("]", this.start);
    this.end = end < 0 ? this.sql.length : end + 1;
    this.kind = "quoted";
  }
}

/** Position of the first character that is neither blank nor in a comment. */
export function skipBlank(sql: string, from: number): number {
  let at = from;
  for (;;) {
    while (at < sql.length && isBlank(sql.charCodeAt(at))) at++;
    if (sql.startsWith("--", at)) at = pastOrEnd(sql, "\n", at);
    else if (sql.startsWith("/*", at)) at = pastOrEnd(sql, "*/", at + 2);
    else return at;
  }
}

function pastOrEnd(sql: string, mark: string, from: number): number {
  const found = sql.indexOf(mark, from);
  return found < 0 ? sql.length : found + mark.length;
}

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d && code !== 0x0b) || code === 0xfeff;
}

function isWordPart(character: string): boolean {
  return /[\w$\u0080-\uffff]/u.test(character) || character.charCodeAt(0) > 0x7f;
}

/** Everything in the text that could name a table: words, quoted names and strings, in lower case. */
export function namesIn(sql: string): ReadonlySet<string> {
  const names = new Set<string>();
  const lexer = new SqlLexer(sql);
  while (lexer.next() !== "end") if (lexer.kind !== "symbol") names.add(lexer.text());
  return names;
}
