import { type Architecture, mlpExpansion, parameterCount, parameterSlots } from "./architecture.ts";
import { howToPut, type Kernels, kernelsOn } from "./kernels/kernels.ts";
import { MemoryPlan } from "./kernels/memory-plan.ts";
import { rotaryTables } from "./rotary-tables.ts";

/** Tokens that one pass goes over at most: enough for the kernels, little enough for a core's cache. A prompt that is seen whole may be longer. */
const passTokens = 64;

/**
 * The transformer, forward alone, a token at a time, with cached keys and values, for a fixed number of rows. What is computed for a row
 * does not depend on the other rows, nor on how its tokens are spread over passes.
 */
export class Decoder {
  readonly rows: number;
  readonly #architecture: Architecture;
  readonly #kernels: Kernels;
  readonly #at: Places;
  readonly #floats: Float32Array;
  readonly #integers: Int32Array;
  readonly #doubles: Float64Array;
  /** Tokens of the pass that is being filled, and for each the row that wants to know what follows, or −1. */
  #pending = 0;
  readonly #asked: Int32Array;
  readonly #passTokens: number;

  constructor(architecture: Architecture, { rows }: { readonly rows: number }) {
    const plan = new MemoryPlan();
    const { promptAttention, promptTokens } = architecture;
    this.#passTokens = promptAttention === "whole" ? Math.max(passTokens, promptTokens) : passTokens;
    this.#at = placesIn(plan, architecture, { rows, passTokens: this.#passTokens });
    const memory = plan.memory();
    this.rows = rows;
    this.#architecture = architecture;
    this.#kernels = kernelsOn(memory);
    this.#floats = new Float32Array(memory.buffer);
    this.#integers = new Int32Array(memory.buffer);
    this.#doubles = new Float64Array(memory.buffer);
    this.#asked = new Int32Array(this.#passTokens);
    const { cosine, sine } = rotaryTables(architecture);
    this.#floats.set(cosine, this.#at.cosine / 4);
    this.#floats.set(sine, this.#at.sine / 4);
  }

  /** Copies the weights in. Every row must be read anew. */
  setWeights(weights: Float32Array): void {
    const { weights: at, unembedding } = this.#at;
    const { vocabularySize, width } = this.#architecture;
    this.#floats.set(weights, at / 4);
    for (let token = 0; token < vocabularySize; token++) {
      for (let index = 0; index < width; index++) {
        this.#floats[unembedding / 4 + index * vocabularySize + token] = weights[token * width + index] as number;
      }
    }
  }

  /**
   * Has a row read its next token.
   * @param position Of the token in its row: 0 for the first, then one more each time.
   * @param reach How many of the row's tokens it sees; those behind it are read next.
   * @param asks Whether what follows will be asked for, by {@link draw}; after {@link flush}.
   */
  read(
    token: number,
    { row, position, reach, asks }: { row: number; position: number; reach: number; asks: boolean },
  ): void {
    const { tokens, positions, reaches, places } = this.#at;
    // What it sees must be computed with it or before it.
    if (this.#pending + reach - position > this.#passTokens) this.flush();
    const index = this.#pending++;
    this.#integers[tokens / 4 + index] = token;
    this.#integers[positions / 4 + index] = position;
    this.#integers[reaches / 4 + index] = reach;
    this.#integers[places / 4 + index] = row * this.#architecture.contextTokens + position;
    this.#asked[index] = asks ? row : -1;
    if (this.#pending === this.#passTokens) this.flush();
  }

  /** Computes what was read and not computed yet. */
  flush(): void {
    if (this.#pending === 0) return;
    this.#forward(this.#pending);
    this.#pending = 0;
  }

  /**
   * Draws the token that follows what a row has read, from softmax(logits / temperature); at 0 the most probable one, the first of equals.
   * @param uniform 0 up to 1, decides.
   */
  draw(
    row: number,
    { temperature, uniform }: { readonly temperature: number; readonly uniform: number },
  ): { token: number; logProbability: number } {
    const { logits, exponentials, found } = this.#at;
    const { vocabularySize } = this.#architecture;
    const own = logits + row * vocabularySize * 4;
    if (temperature === 0) return { token: this.#kernels.mostProbable(own, vocabularySize), logProbability: 0 };
    const token = this.#kernels.draw(own, exponentials, found, vocabularySize, 1 / temperature, uniform);
    const [above, total] = [this.#doubles[found / 8] as number, this.#doubles[found / 8 + 1] as number];
    return { token, logProbability: above - Math.log(total) };
  }

  /** Logits after what a row has read, [vocabularySize]: a view, valid until the row reads on. */
  logits(row: number): Float32Array {
    const { vocabularySize } = this.#architecture;
    const start = this.#at.logits / 4 + row * vocabularySize;
    return this.#floats.subarray(start, start + vocabularySize);
  }

  #forward(count: number): void {
    const { width, heads, layers } = this.#architecture;
    const [kernels, at] = [this.#kernels, this.#at];
    kernels.takeRows(at.hidden, at.parameter("embedding"), at.tokens, count, width);
    for (let layer = 0; layer < layers; layer++) {
      const own = (name: string) => at.parameter(`layers.${layer}.${name}`);
      const [keys, values] = [at.keys + layer * at.cacheBytes, at.values + layer * at.cacheBytes];
      kernels.normalise(at.normed, at.hidden, own("attention.norm"), count, width);
      kernels.multiply(at.wide, at.normed, own("attention.qkv"), count, width, 3 * width, howToPut.put);
      kernels.turn(at.wide, at.positions, at.cosine, at.sine, count, width, heads, 1);
      kernels.keep(at.wide, at.places, keys, values, count, width);
      kernels.attend(
        ...([at.normed, at.wide, at.places, at.positions, at.reaches, keys, values, at.scores] as const),
        ...([count, width, heads] as const),
      );
      kernels.multiply(at.hidden, at.normed, own("attention.out"), count, width, width, howToPut.add);
      kernels.normalise(at.normed, at.hidden, own("mlp.norm"), count, width);
      kernels.multiply(at.wide, at.normed, own("mlp.up"), count, width, mlpExpansion * width, howToPut.cut);
      kernels.multiply(at.hidden, at.wide, own("mlp.down"), count, mlpExpansion * width, width, howToPut.add);
    }
    this.#answer(count);
  }

  /** Logits for the tokens whose rows asked, into the rows' places. */
  #answer(count: number): void {
    const { width, vocabularySize } = this.#architecture;
    const at = this.#at;
    let asking = 0;
    for (let index = 0; index < count; index++) {
      if ((this.#asked[index] as number) < 0) continue;
      const from = at.hidden / 4 + index * width;
      this.#floats.copyWithin(at.hidden / 4 + asking * width, from, from + width);
      this.#asked[asking++] = this.#asked[index] as number;
    }
    this.#kernels.normalise(at.normed, at.hidden, at.parameter("norm"), asking, width);
    this.#kernels.multiply(at.answers, at.normed, at.unembedding, asking, width, vocabularySize, howToPut.put);
    for (let index = 0; index < asking; index++) {
      const from = at.answers / 4 + index * vocabularySize;
      const to = at.logits / 4 + (this.#asked[index] as number) * vocabularySize;
      this.#floats.copyWithin(to, from, from + vocabularySize);
    }
  }
}

type Places = ReturnType<typeof placesIn>;

/** Where everything lies in the kernels' memory, in bytes. */
function placesIn(
  plan: MemoryPlan,
  architecture: Architecture,
  { rows, passTokens }: { readonly rows: number; readonly passTokens: number },
) {
  const { width, heads, layers, vocabularySize, contextTokens } = architecture;
  const weights = plan.numbers(parameterCount(architecture));
  const slots = new Map(parameterSlots(architecture).map(({ name, offset }) => [name, weights + 4 * offset]));
  const cacheNumbers = rows * contextTokens * width;
  const tableNumbers = contextTokens * (width / heads / 2);
  return {
    weights,
    parameter: (name: string) => slots.get(name) as number,
    unembedding: plan.numbers(width * vocabularySize),
    cosine: plan.numbers(tableNumbers),
    sine: plan.numbers(tableNumbers),
    cacheBytes: 4 * cacheNumbers,
    keys: plan.numbers(layers * cacheNumbers),
    values: plan.numbers(layers * cacheNumbers),
    tokens: plan.numbers(passTokens),
    positions: plan.numbers(passTokens),
    reaches: plan.numbers(passTokens),
    places: plan.numbers(passTokens),
    hidden: plan.numbers(passTokens * width),
    normed: plan.numbers(passTokens * width),
    wide: plan.numbers(passTokens * mlpExpansion * width),
    scores: plan.numbers(contextTokens),
    answers: plan.numbers(passTokens * vocabularySize),
    logits: plan.numbers(rows * vocabularySize),
    exponentials: plan.numbers(vocabularySize),
    found: plan.numbers(4),
  };
}
