/**
 * Strings for short runs of bytes that come again and again, such as the names in a schema: making a string anew costs more than all else
 * that is done with a name. A name is found by its bytes alone, so it does not matter where they lie.
 */
export class SqlNames {
  readonly #make: (bytes: Uint8Array) => string;
  readonly #known = new Map<number, { readonly bytes: Uint8Array; readonly text: string }>();

  /** @param make The string for the bytes of a name. */
  constructor(make: (bytes: Uint8Array) => string) {
    this.#make = make;
  }

  /** The string for the bytes from there to the next NUL. */
  at(bytes: Uint8Array, at: number): string {
    let hash = 0x811c9dc5;
    let end = at;
    for (let byte = bytes[end] as number; byte !== 0; byte = bytes[++end] as number)
      hash = Math.imul(hash ^ byte, 0x01000193);
    const known = this.#known.get(hash);
    if (known !== undefined && isSame(known.bytes, bytes, { at, end })) return known.text;
    const own = bytes.slice(at, end);
    const text = this.#make(own);
    if (own.length > bytesMax) return text;
    if (this.#known.size >= namesMax) this.#known.clear();
    this.#known.set(hash, { bytes: own, text });
    return text;
  }
}

const bytesMax = 64;
const namesMax = 2_000;

function isSame(
  known: Uint8Array,
  bytes: Uint8Array,
  { at, end }: { readonly at: number; readonly end: number },
): boolean {
  if (known.length !== end - at) return false;
  for (let index = 0; index < known.length; index++) if (known[index] !== bytes[at + index]) return false;
  return true;
}
