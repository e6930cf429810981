import type { ContentPattern } from "./content-patterns.ts";

/** What was found in a value. */
export interface Scanned {
  /** Names of the patterns that were found, in the order found. */
  readonly names: ReadonlySet<string>;
  /** The value with `[REDACTED:name]` in the place of all that was found; the same object where nothing was. */
  readonly value: unknown;
  /** Whether the value was too long to be looked at whole. */
  readonly tooLong: boolean;
}

/** Looks through plain data of any shape: strings, keys, numbers as they are written, and bytes as Latin-1 text. */
export function scanContent(value: unknown, patterns: readonly ContentPattern[], lengthMax: number): Scanned {
  const scan = new Scan(patterns, lengthMax);
  const redacted = scan.value(value);
  return { names: scan.names, value: redacted, tooLong: scan.left < 0 };
}

class Scan {
  readonly names = new Set<string>();
  left: number;
  readonly #patterns: readonly ContentPattern[];

  constructor(patterns: readonly ContentPattern[], lengthMax: number) {
    this.#patterns = patterns;
    this.left = lengthMax;
  }

  value(value: unknown): unknown {
    switch (typeof value) {
      case "string":
        return this.#text(value);
      case "number":
      case "bigint": {
        const text = String(value);
        const redacted = text.length < shortestNumber ? text : this.#text(text);
        return redacted === text ? value : redacted;
      }
      case "object":
        return value === null ? null : this.#object(value);
      default:
        return value;
    }
  }

  #object(value: object): unknown {
    if (this.left < 0) return value;
    if (value instanceof Uint8Array) {
      const text = Buffer.from(value).toString("latin1");
      const redacted = this.#text(text);
      return redacted === text ? value : redacted;
    }
    if (Array.isArray(value)) {
      const items = value.map((item) => this.value(item));
      return items.some((item, index) => item !== value[index]) ? items : value;
    }
    const fields = Object.entries(value).map(
      ([key, field]) => [this.#text(key), this.value(field), key, field] as const,
    );
    const same = fields.every(([newKey, newField, key, field]) => newKey === key && Object.is(newField, field));
    return same ? value : Object.fromEntries(fields);
  }

  #text(text: string): string {
    this.left -= text.length;
    if (this.left < 0) return text;
    let redacted = text;
    for (const { name, expression, confirms } of this.#patterns) {
      if (redacted.search(expression) < 0) continue;
      redacted = redacted.replace(expression, (found) => {
        if (found === "" || (confirms !== undefined && !confirms(found))) return found;
        this.names.add(name);
        return `[REDACTED:${name}]`;
      });
    }
    return redacted;
  }
}

/** No pattern finds anything in a number with fewer characters. */
const shortestNumber = 1;
