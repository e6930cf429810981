/** How LIKE or GLOB writes its wildcards; 0 where there is none. Characters are bytes of ASCII, or whole code points where said. */
export interface PatternDialect {
  readonly many: number;
  readonly one: number;
  readonly escapedBy: number;
  readonly hasSets: boolean;
  readonly ignoresCase: boolean;
}

export const likeDialect: PatternDialect = { many: 0x25, one: 0x5f, escapedBy: 0, hasSets: false, ignoresCase: true };
export const globDialect: PatternDialect = { many: 0x2a, one: 0x3f, escapedBy: 0, hasSets: true, ignoresCase: false };

const open = 0x5b;
const close = 0x5d;
const caret = 0x5e;
const dash = 0x2d;
const spentEvery = 0x1_0000;

/**
 * Matches UTF-8 text against a pattern as SQLite's LIKE and GLOB do (case is ignored in ASCII alone), and tells what it costs: SQLite's own
 * may compare every byte of one with every byte of the other within a single step of its virtual machine.
 */
export class PatternMatch {
  readonly #spend: (comparisons: number) => boolean;
  #bytes: Uint8Array = new Uint8Array(0);
  #dialect = likeDialect;
  #comparisons = 0;
  #pattern = 0;
  #patternEnd = 0;
  #text = 0;
  #textEnd = 0;
  /** Where to go on after what follows the last "many" did not match: -1 before there was one. */
  #retryPattern = -1;
  #retryText = 0;

  /** @param spend Takes a number of comparisons, and answers whether to go on. */
  constructor(spend: (comparisons: number) => boolean) {
    this.#spend = spend;
  }

  /** Sets what is matched: pattern and text are places in the bytes, and end before the first NUL. */
  set(bytes: Uint8Array, dialect: PatternDialect, { pattern, text }: { pattern: Slice; text: Slice }): void {
    this.#bytes = bytes;
    this.#dialect = dialect;
    this.#pattern = pattern.at;
    this.#patternEnd = this.#endOf(pattern);
    this.#text = text.at;
    this.#textEnd = this.#endOf(text);
    this.#retryPattern = -1;
    this.#comparisons = 0;
  }

  /** Whether the text matches; `null` where it became too dear. */
  run(): boolean | null {
    let answer: boolean | undefined;
    while (answer === undefined) {
      if (++this.#comparisons >= spentEvery && !this.#spendAll()) return null;
      answer = this.#step();
    }
    return this.#spendAll() ? answer : null;
  }

  #spendAll(): boolean {
    const spent = this.#comparisons;
    this.#comparisons = 0;
    return this.#spend(spent);
  }

  #step(): boolean | undefined {
    if (this.#pattern === this.#patternEnd) return this.#text === this.#textEnd ? true : this.#retry();
    const byte = this.#bytes[this.#pattern] as number;
    if (byte === this.#dialect.many && byte !== this.#dialect.escapedBy) {
      this.#retryPattern = ++this.#pattern;
      this.#retryText = this.#text;
      return undefined;
    }
    if (this.#text === this.#textEnd) return false;
    return this.#matchOne(byte) ? undefined : this.#retry();
  }

  /** Tries again with one more character taken by the last "many". */
  #retry(): boolean | undefined {
    if (this.#retryPattern < 0 || this.#retryText === this.#textEnd) return false;
    this.#retryText = this.#nextStart(this.#after(this.#retryText, this.#textEnd));
    this.#pattern = this.#retryPattern;
    this.#text = this.#retryText;
    return undefined;
  }

  /** The first place from there on where what follows "many" can begin: far fewer, where that is a letter. */
  #nextStart(from: number): number {
    const wanted = this.#bytes[this.#retryPattern] as number;
    const { many, one, escapedBy, hasSets } = this.#dialect;
    const isLiteral = wanted < 0x80 && wanted !== many && wanted !== one && !(hasSets && wanted === open);
    if (!isLiteral || escapedBy !== 0 || this.#retryPattern === this.#patternEnd) return from;
    const folded = lower(wanted);
    const most = Math.min(this.#textEnd, from + spentEvery);
    let at = from;
    while (at < most && lower(this.#bytes[at] as number) !== folded) at++;
    this.#comparisons += at - from;
    // In the middle of a character nothing begins; where the search was cut short, it may stand there.
    while (at > from && at < this.#textEnd && ((this.#bytes[at] as number) & 0xc0) === 0x80) at--;
    return at;
  }

  /** Matches one character of the text, and moves on in both when it does. */
  #matchOne(byte: number): boolean {
    const { escapedBy, one, hasSets } = this.#dialect;
    const isEscape = escapedBy !== 0 && this.#codeAt(this.#pattern, this.#patternEnd) === escapedBy;
    if (isEscape) return this.#matchLiteral(this.#after(this.#pattern, this.#patternEnd));
    if (byte === one) {
      this.#pattern++;
      this.#text = this.#after(this.#text, this.#textEnd);
      return true;
    }
    return hasSets && byte === open ? this.#matchSet() : this.#matchLiteral(this.#pattern);
  }

  #matchLiteral(at: number): boolean {
    if (at >= this.#patternEnd) return false;
    const wanted = this.#bytes[at] as number;
    const got = this.#bytes[this.#text] as number;
    if (wanted < 0x80 || got < 0x80) {
      const same = wanted === got || (this.#dialect.ignoresCase && lower(wanted) === lower(got));
      if (!same) return false;
    } else if (this.#codeAt(at, this.#patternEnd) !== this.#codeAt(this.#text, this.#textEnd)) return false;
    this.#pattern = this.#after(at, this.#patternEnd);
    this.#text = this.#after(this.#text, this.#textEnd);
    return true;
  }

  /** A set such as [a-z] or [^0-9]; one that is not closed matches nothing. */
  #matchSet(): boolean {
    const code = this.#codeAt(this.#text, this.#textEnd);
    let at = this.#pattern + 1;
    const inverted = this.#bytes[at] === caret && at < this.#patternEnd;
    if (inverted) at++;
    let seen = false;
    let prior = 0;
    for (let isFirst = true; at < this.#patternEnd; isFirst = false) {
      const member = this.#codeAt(at, this.#patternEnd);
      const next = this.#after(at, this.#patternEnd);
      this.#comparisons++;
      if (member === close && !isFirst) {
        if (seen === inverted) return false;
        this.#pattern = next;
        this.#text = this.#after(this.#text, this.#textEnd);
        return true;
      }
      const isRange = member === dash && prior > 0 && next < this.#patternEnd && this.#bytes[next] !== close;
      if (isRange) {
        seen ||= code >= prior && code <= this.#codeAt(next, this.#patternEnd);
        at = this.#after(next, this.#patternEnd);
        prior = 0;
        continue;
      }
      seen ||= code === member;
      // A closing bracket that comes first is a member, but begins no range.
      prior = member === close ? 0 : member;
      at = next;
    }
    return false;
  }

  #endOf({ at, length }: Slice): number {
    let end = at;
    while (end < at + length && this.#bytes[end] !== 0) end++;
    return end;
  }

  #after(at: number, end: number): number {
    let next = at + 1;
    if ((this.#bytes[at] as number) >= 0xc0)
      while (next < end && ((this.#bytes[next] as number) & 0xc0) === 0x80) next++;
    return next;
  }

  #codeAt(at: number, end: number): number {
    const lead = this.#bytes[at] as number;
    if (lead < 0xc0) return lead;
    let code = lead < 0xe0 ? lead & 0x1f : lead < 0xf0 ? lead & 0x0f : lead & 0x07;
    for (let next = at + 1; next < this.#after(at, end); next++)
      code = (code << 6) | ((this.#bytes[next] as number) & 0x3f);
    return code;
  }
}

export interface Slice {
  readonly at: number;
  readonly length: number;
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}
