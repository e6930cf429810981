import type { PretrainOptions } from "../config/pretrain-options.ts";
import type { Random } from "../core/random.ts";
import type { Trajectory } from "../core/trajectory.ts";
import { LiteralSwap } from "../model/literal-swap.ts";
import { unknownId } from "../model/tokenizer.ts";
import { ValueSwap } from "../model/value-swap.ts";
import type { CloningMaterial } from "./cloning-material.ts";
import type { ReplayedDemonstration } from "./demonstrations.ts";

/** Where literals come from the database. */
const wordDropoutOfFew = 0.1;

/** Makes variants of demonstrations, so that a model learns what they have in common. */
export class Augmentation {
  readonly #swap: LiteralSwap | ValueSwap | null;
  readonly #wordDropout: number;

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
    this.#wordDropout = wordDropout ?? (few ? wordDropoutOfFew : 0);
  }

  vary(demonstration: ReplayedDemonstration, random: Random): ReplayedDemonstration {
    return this.#swap === null ? demonstration : this.#swap.draw(demonstration, random);
  }

  /**
   * Masks tokens of the prompt at random (Iyyer et al. 2015, section 3.1, with a mask in place of nothing). What an action repeats is spared: it
   * could not be copied.
   */
  mask(trajectory: Trajectory, random: Random): Trajectory {
    if (this.#wordDropout === 0) return trajectory;
    const { tokens, chosen } = trajectory;
    const repeated = new Set(tokens.filter((_, place) => chosen[place] === 1));
    const start = chosen.indexOf(1);
    return {
      ...trajectory,
      // The last one before the first action is <act>.
      tokens: tokens.map((token, place) =>
        place < start - 1 && !repeated.has(token) && random.next() < this.#wordDropout ? unknownId : token,
      ),
    };
  }
}
