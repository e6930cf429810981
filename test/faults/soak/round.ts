import type { Random } from "../../../src/core/random.ts";
import type { Tally } from "./tally.ts";

/** A training that something happens to. */
export interface Round {
  /** What happens. */
  readonly name: string;
  /** Does it once, and puts down what it came to. */
  readonly run: (tally: Tally, random: Random) => Promise<void>;
}
