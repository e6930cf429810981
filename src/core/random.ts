import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A seeded stream of uniform numbers. The only home of pure-rand. */
export class Random {
  readonly #generator: ReturnType<typeof xoroshiro128plus>;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed | 0);
  }

  /** Uniform in [0, 1) with 32 random bits. */
  next(): number {
    return (this.#generator.next() >>> 0) / 0x1_0000_0000;
  }

  /** Uniform integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError("pick needs at least one item");
    return items[this.below(items.length)] as T;
  }

  /** A new array in random order (Fisher–Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
    }
    return shuffled;
  }
}

/**
 * A seed from a path of integers such as (run, iteration, group, episode): neighbours in any coordinate are unrelated.
 * Mixing is MurmurHash3's 32-bit finaliser over an accumulating word.
 */
export function deriveSeed(...path: readonly number[]): number {
  let word = 0x9e3779b9;
  for (const part of path) {
    word = (Math.imul(word ^ (part | 0), 0x85ebca6b) + 0x9e3779b9) | 0;
    word ^= word >>> 16;
    word = Math.imul(word, 0x85ebca6b);
    word ^= word >>> 13;
    word = Math.imul(word, 0xc2b2ae35);
    word ^= word >>> 16;
  }
  return word >>> 0;
}
