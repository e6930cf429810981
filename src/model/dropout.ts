import { numpy as np } from "@jax-js/jax";
import { Random } from "../core/random.ts";
import type { Architecture } from "./architecture.ts";

export interface Dropout {
  /** Share of what is added to the residual stream that is set to 0; the rest is scaled up (Srivastava et al. 2014). */
  readonly rate: number;
  readonly seed: number;
}

/** Factors for the embedding and for both additions of every layer, each [rows, length, width]. */
export function dropoutFactors(
  { layers, width }: Architecture,
  { rows, length }: { readonly rows: number; readonly length: number },
  { rate, seed }: Dropout,
): np.Array[] {
  const bits = new Bits(seed);
  const threshold = Math.round(rate * 256);
  const kept = 256 / (256 - threshold);
  return Array.from({ length: 1 + 2 * layers }, () => {
    const factors = new Float32Array(rows * length * width);
    for (let index = 0; index < factors.length; index += 4) {
      let word = bits.next();
      for (let place = index; place < index + 4; place++, word >>>= 8)
        factors[place] = (word & 255) < threshold ? 0 : kept;
    }
    return np.array(factors).reshape([rows, length, width]);
  });
}

/** Fast and good enough for masks (xorshift32, Marsaglia 2003). */
class Bits {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.floor(new Random(seed).next() * 0xffff_ffff) | 1;
  }

  next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }
}
