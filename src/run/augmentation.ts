import type { PretrainOptions } from "../config/pretrain-options.ts";
import type { Random } from "../core/random.ts";
import type { Trajectory } from "../core/trajectory.ts";
import { LiteralSwap } from "../model/literal-swap.ts";
import { type Tokenizer, unknownId } from "../model/tokenizer.ts";
import { ValueSwap } from "../model/value-swap.ts";
import type { CloningMaterial } from "./cloning-material.ts";
import type { ReplayedDemonstration } from "./demonstrations.ts";

/** Where literals come from the database. */
const wordDropoutOfFew = 0.1;
const spelledShare = 0.5;

/** Makes variants of demonstrations, so that a model learns what they have in common. */
export class Augmentation {
  readonly #swap: LiteralSwap | ValueSwap | null;
  readonly #wordDropout: number;
  readonly #spells: boolean;

  /** @param parts.reserved Prompts that must not arise, such as those of the test split. */
  constructor(
    { literalSwap, wordDropout }: PretrainOptions,
    parts: {
      readonly material: CloningMaterial;
      readonly demonstrations: readonly ReplayedDemonstration[];
      readonly reserved: ReadonlySet<string>;
    },
  ) {
    const { values } = parts.material;
    const few = values.size > 0;
    if (!literalSwap) this.#swap = null;
    else if (few) this.#swap = new ValueSwap(parts.demonstrations, values, parts.reserved);
    else this.#swap = new LiteralSwap(parts.demonstrations, parts.reserved);
    this.#spells = few;
    this.#wordDropout = wordDropout ?? (few ? wordDropoutOfFew : 0);
  }

  vary(demonstration: ReplayedDemonstration, random: Random): ReplayedDemonstration {
    return this.#swap === null ? demonstration : this.#swap.draw(demonstration, random);
  }

  /**
   * Masks tokens of the prompt at random (Iyyer et al. 2015, section 3.1, with a mask in place of nothing). What an action repeats is spared: it
   * could not be copied. Of few demonstrations, every other masked word is spelled instead: so are words that were never seen.
   */
  mask(trajectory: Trajectory, random: Random, tokenizer: Tokenizer): Trajectory {
    if (this.#wordDropout === 0) return trajectory;
    const { tokens, chosen } = trajectory;
    const repeated = new Set(tokens.filter((_, place) => chosen[place] === 1));
    const start = chosen.indexOf(1);
    const put: number[] = [];
    // The last one before the first action is <act>.
    tokens.subarray(0, start - 1).forEach((token) => {
      if (repeated.has(token) || random.next() >= this.#wordDropout) put.push(token);
      else if (this.#spells && random.next() < spelledShare) put.push(...tokenizer.spell(token));
      else put.push(unknownId);
    });
    const added = put.length - (start - 1);
    return {
      tokens: Int32Array.from([...put, ...tokens.subarray(start - 1)]),
      chosen: Uint8Array.from([...put.map(() => 0), ...chosen.subarray(start - 1)]),
      logProbabilities: new Float32Array(tokens.length + added),
    };
  }
}
