/** One token of a query: strings and quoted names are whole. */
export interface QueryToken {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** What a SELECT reads from: a table, or another SELECT. */
export interface QuerySource {
  /** The name that columns are qualified with, in lower case. */
  readonly alias: string;
  /** In lower case; `null` for another SELECT. */
  readonly table: string | null;
  /** Of another SELECT, where each has a name that can be read. */
  readonly inner: QueryScope | null;
  /** Tokens from the alias's `AS` to the alias, the latter excluded from none; empty where there is no alias. */
  readonly aliasTokens: readonly number[];
}

/** One SELECT with its own names. */
export interface QueryScope {
  readonly parent: QueryScope | null;
  readonly sources: QuerySource[];
  /** Names that it gives to what it selects, in lower case. */
  readonly given: Set<string>;
  /** What it selects, by name where it has one; `null` for what has none that is sure. */
  readonly selected: (string | null)[];
}

/** `alias.column`; the index is that of the alias's token. */
export interface QualifiedColumn {
  readonly token: number;
  readonly alias: string;
  readonly column: string;
  readonly scope: QueryScope;
}

export interface QueryOutline {
  readonly tokens: readonly QueryToken[];
  readonly sources: readonly QuerySource[];
  readonly columns: readonly QualifiedColumn[];
}

const tokenPattern =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|[\p{L}_][\p{L}\p{N}_$]*|\d+(?:\.\d+)?|[<>!=|]+|\S/gu;
const name = /^[\p{L}_"`[]/u;
const clauses = new Set(["where", "group", "order", "having", "limit", "window", "union", "intersect", "except"]);
const joins = new Set(["join", "inner", "left", "right", "full", "outer", "cross", "natural", "on", "using"]);

/** Reads which tables and columns a query names where; `null` for what this cannot read. It decides nothing: whoever rewrites by it compares results. */
export function queryOutline(sql: string): QueryOutline | null {
  const tokens = [...sql.matchAll(tokenPattern)].map(({ 0: text, index }) => ({
    ...{ text, start: index, end: index + text.length },
  }));
  const reader = new OutlineReader(tokens);
  return reader.read() ? { tokens, sources: reader.sources, columns: reader.columns } : null;
}

class OutlineReader {
  readonly sources: QuerySource[] = [];
  readonly columns: QualifiedColumn[] = [];
  readonly #tokens: readonly QueryToken[];
  #at = 0;

  constructor(tokens: readonly QueryToken[]) {
    this.#tokens = tokens;
  }

  read(): boolean {
    return this.#word() === "select" && this.#select(null) !== null && this.#at === this.#tokens.length;
  }

  /** From SELECT to the bracket that closes it, or the end; a compound's parts are scopes of their own, of which the first is returned. */
  #select(parent: QueryScope | null): QueryScope | null {
    let first: QueryScope | null = null;
    do {
      if (first !== null) this.#at += this.#word(1) === "all" ? 2 : 1;
      if (this.#word() !== "select") return null;
      this.#at++;
      const scope: QueryScope = { parent, sources: [], given: new Set(), selected: [] };
      first ??= scope;
      this.#items(scope);
      if (this.#word() === "from" && !this.#from(scope)) return null;
      this.#expression(scope, (word) => ["union", "intersect", "except"].includes(word));
    } while (["union", "intersect", "except"].includes(this.#word()));
    return first;
  }

  #items(scope: QueryScope): void {
    if (["distinct", "all"].includes(this.#word())) this.#at++;
    for (;;) {
      const start = this.#at;
      this.#expression(scope, (word) => word === "from" || word === "," || clauses.has(word));
      const last = this.#nameAt(this.#at - 1);
      const isNamed = this.#word(-2) === "as";
      if (isNamed && last !== null) scope.given.add(last);
      const isColumn = this.#at === start + 1 || (this.#at === start + 3 && this.#word(-2) === ".");
      scope.selected.push(isNamed || isColumn ? last : null);
      if (this.#word() !== ",") return;
      this.#at++;
    }
  }

  #from(scope: QueryScope): boolean {
    do {
      this.#at++;
      while (joins.has(this.#word()) && this.#word() !== "on") this.#at++;
      if (!this.#source(scope)) return false;
      // Conditions of joins, and what else comes before the next source.
      this.#expression(scope, (word) => word === "," || clauses.has(word) || (joins.has(word) && word !== "on"));
    } while (this.#word() === "," || joins.has(this.#word()));
    return true;
  }

  #source(scope: QueryScope): boolean {
    let table: string | null = null;
    let inner: QueryScope | null = null;
    if (this.#word() === "(") {
      this.#at++;
      inner = this.#word() === "select" ? this.#select(scope.parent) : null;
      if (inner === null || this.#word() !== ")") return false;
    } else {
      table = this.#nameAt(this.#at);
      if (table === null) return false;
    }
    this.#at++;
    const start = this.#at;
    if (this.#word() === "as") this.#at++;
    const alias = this.#alias();
    if (alias === null && this.#at > start) return false;
    if (alias !== null) this.#at++;
    const aliasTokens = Array.from({ length: this.#at - start }, (_, index) => start + index);
    const source = { alias: alias ?? table ?? "", table, inner, aliasTokens };
    scope.sources.push(source);
    this.sources.push(source);
    return true;
  }

  #alias(): string | null {
    const word = this.#word();
    return clauses.has(word) || joins.has(word) ? null : this.#nameAt(this.#at);
  }

  /** Up to a word of this SELECT that ends it, its closing bracket, or the end. */
  #expression(scope: QueryScope, ends: (word: string) => boolean): void {
    let depth = 0;
    for (; this.#at < this.#tokens.length; this.#at++) {
      const word = this.#word();
      if (depth === 0 && (word === ")" || ends(word))) return;
      if (word === ")") depth--;
      else if (word === "(" && this.#word(1) === "select") {
        this.#at++;
        this.#select(scope);
      } else if (word === "(") depth++;
      else this.#column(scope);
    }
  }

  #column(scope: QueryScope): void {
    const [alias, column] = [this.#nameAt(this.#at), this.#nameAt(this.#at + 2) ?? this.#word(2)];
    if (alias === null || this.#word(1) !== "." || this.#word(-1) === ".") return;
    this.columns.push({ token: this.#at, alias, column, scope });
  }

  #word(ahead = 0): string {
    return this.#tokens[this.#at + ahead]?.text.toLowerCase() ?? "";
  }

  #nameAt(index: number): string | null {
    const text = this.#tokens[index]?.text ?? "";
    return name.test(text) ? text.replace(/^["`[]|["`\]]$/g, "").toLowerCase() : null;
  }
}
