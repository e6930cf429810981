import { deriveSeed } from "../../src/core/random.ts";

/**
 * What happens by chance in one simulation. Every question has a name, and its nth answer follows from the seed, the name and n alone: whoever
 * asks first changes nothing for the others.
 */
export class Chance {
  readonly #seed: number;
  readonly #asked = new Map<string, number>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Uniform in [0, 1). */
  number(name: string): number {
    const count = this.#asked.get(name) ?? 0;
    this.#asked.set(name, count + 1);
    return deriveSeed(this.#seed, ...Buffer.from(name), count) / 2 ** 32;
  }

  /** Uniform integer in [from, to). */
  between(name: string, from: number, to: number): number {
    return from + Math.floor(this.number(name) * (to - from));
  }

  pick<Item>(name: string, items: readonly Item[]): Item {
    return items[this.between(name, 0, items.length)] as Item;
  }
}
