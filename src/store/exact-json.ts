/**
 * A whole number that no double is, as its decimal digits; JSON.stringify writes them as they are. Clients in other languages have whole
 * numbers of 64 bits and more, and what a store is given it gives back.
 */
export interface ExactInteger {
  readonly rawJSON: string;
}

declare global {
  // Newer than the compiler's libraries.
  interface JSON {
    rawJSON(text: string): ExactInteger;
    isRawJSON(value: unknown): value is ExactInteger;
    parse(
      text: string,
      reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown;
  }
}

/** As JSON.parse, but whole numbers that it would round come as {@link ExactInteger}. */
export function parseExactly(text: string): unknown {
  return longDigits.test(text) || /^-?\d{16}/.test(text)
    ? JSON.parse(text, (_, value, { source = "" }) => (typeof value === "number" ? exactNumber(source, value) : value))
    : JSON.parse(text);
}

/** A number of decimal digits; where a double has the same ones, a double. */
export function integerOf(digits: string): number | ExactInteger {
  return exactNumber(digits, Number(digits));
}

export function isExactInteger(value: unknown): value is ExactInteger {
  return JSON.isRawJSON(value);
}

/** A double is exact to 15 digits. This looks at texts that are seldom needed, so that others cost one search; digits within strings do no harm. */
const longDigits = /[[:,\s]-?\d{16}/;

function exactNumber(source: string, value: number): number | ExactInteger {
  if (Number.isSafeInteger(value) || !/^-?\d+$/.test(source)) return value;
  return String(value) === source || isSameAtLength(source, value) ? value : JSON.rawJSON(source);
}

/** Doubles from 10^21 are written with an exponent. */
function isSameAtLength(source: string, value: number): boolean {
  return Math.abs(value) >= 1e21 && Number.isFinite(value) && BigInt(source) === BigInt(value);
}
