import { deriveSeed } from "../core/random.ts";
import type { Trajectory } from "../core/trajectory.ts";
import { type Architecture, mlpExpansion, parameterCount, parameterSlots } from "./architecture.ts";
import { howToPut, type Kernels, kernelsOn } from "./kernels/kernels.ts";
import { MemoryPlan } from "./kernels/memory-plan.ts";
import { rotaryTables } from "./rotary-tables.ts";

/** Tokens that are gone over at a time, where a context is not longer. */
const passTokens = 1024;

/** What a network that learns forgets at random, so that it does not rely on too little (Srivastava et al. 2014). */
export interface Dropout {
  /** Share of what attention and the MLP's inner layer give. */
  readonly rate: number;
  readonly seed: number;
}

/**
 * The transformer forward over whole trajectories, with everything kept that the way back needs. Trajectories lie end to end, without
 * padding.
 */
export class Tape {
  /** Most tokens of a pass. */
  readonly tokensMax: number;
  readonly #architecture: Architecture;
  readonly #factor: number;
  readonly #kernels: Kernels;
  readonly #at: Places;
  readonly #floats: Float32Array;
  readonly #integers: Int32Array;
  readonly #doubles: Float64Array;
  #tokens = 0;
  /** Chosen tokens of the pass. */
  #targets = 0;
  /** Chosen tokens of each trajectory of the pass. */
  #counts: readonly number[] = [];
  #dropout: Dropout | undefined;

  constructor(architecture: Architecture, { temperature }: { readonly temperature: number }) {
    this.tokensMax = Math.max(passTokens, architecture.contextTokens);
    const plan = new MemoryPlan();
    this.#at = placesIn(plan, architecture, this.tokensMax);
    const memory = plan.memory();
    this.#architecture = architecture;
    this.#factor = 1 / temperature;
    this.#kernels = kernelsOn(memory);
    this.#floats = new Float32Array(memory.buffer);
    this.#integers = new Int32Array(memory.buffer);
    this.#doubles = new Float64Array(memory.buffer);
    const { cosine, sine } = rotaryTables(architecture);
    this.#floats.set(cosine, this.#at.cosine / 4);
    this.#floats.set(sine, this.#at.sine / 4);
  }

  /** Copies the weights in. */
  setWeights(weights: Float32Array): void {
    const at = this.#at;
    this.#floats.set(weights, at.weights / 4);
    for (const { name, shape } of parameterSlots(this.#architecture)) {
      const [rows, columns] = shape;
      if (columns !== undefined) this.#kernels.transpose(at.turned(name), at.parameter(name), rows as number, columns);
    }
  }

  clearGradient(): void {
    const start = this.#at.gradient / 4;
    this.#floats.fill(0, start, start + parameterCount(this.#architecture));
  }

  /** A copy of what was summed since it was cleared, one number a weight. */
  gradient(): Float32Array {
    const start = this.#at.gradient / 4;
    return this.#floats.slice(start, start + parameterCount(this.#architecture));
  }

  /**
   * Log-probability of every chosen token of each trajectory, in order.
   * @param trajectories At most {@link tokensMax} tokens in all.
   */
  forward(trajectories: readonly Trajectory[], dropout?: Dropout): Float64Array[] {
    this.#counts = this.#load(trajectories);
    const { width, heads, layers } = this.#architecture;
    this.#dropout = dropout;
    const [kernels, at, count] = [this.#kernels, this.#at, this.#tokens];
    kernels.takeRows(at.layer(0).input, at.parameter("embedding"), at.tokens, count, width);
    for (let index = 0; index < layers; index++) {
      const own = (name: string) => at.parameter(`layers.${index}.${name}`);
      const [layer, next] = [at.layer(index), at.layer(index + 1)];
      kernels.normalise(layer.first, layer.input, own("attention.norm"), count, width);
      kernels.multiply(layer.projected, layer.first, own("attention.qkv"), count, width, 3 * width, howToPut.put);
      kernels.turn(layer.projected, at.positions, at.cosine, at.sine, count, width, heads, 1);
      kernels.attendWithin(layer.mixed, layer.projected, at.positions, at.reaches, at.scores, count, width, heads);
      this.#forget(layer.mixed, width, 2 * index);
      this.#copy(layer.middle, layer.input, count * width);
      kernels.multiply(layer.middle, layer.mixed, own("attention.out"), count, width, width, howToPut.add);
      kernels.normalise(layer.second, layer.middle, own("mlp.norm"), count, width);
      kernels.multiply(layer.inner, layer.second, own("mlp.up"), count, width, mlpExpansion * width, howToPut.cut);
      this.#forget(layer.inner, mlpExpansion * width, 2 * index + 1);
      this.#copy(next.input, layer.middle, count * width);
      kernels.multiply(next.input, layer.inner, own("mlp.down"), count, mlpExpansion * width, width, howToPut.add);
    }
    this.#answer();
    return this.#found();
  }

  /** From the last hidden states to the log-probabilities of the targets. */
  #answer(): void {
    const { width, layers, vocabularySize, copyWidth } = this.#architecture;
    const [kernels, at, count, targets] = [this.#kernels, this.#at, this.#tokens, this.#targets];
    kernels.normalise(at.normed, at.layer(layers).input, at.parameter("norm"), count, width);
    kernels.takeRows(at.lastNormed, at.normed, at.asking, targets, width);
    const unembedding = at.turned("embedding");
    kernels.multiply(at.logits, at.lastNormed, unembedding, targets, width, vocabularySize, howToPut.put);
    if (copyWidth > 0) {
      kernels.multiply(at.copyKeys, at.normed, at.parameter("copy.key"), count, width, copyWidth, howToPut.put);
      kernels.multiply(
        at.copyQueries,
        at.lastNormed,
        at.parameter("copy.query"),
        targets,
        width,
        copyWidth,
        howToPut.put,
      );
      kernels.multiply(at.shares, at.lastNormed, at.parameter("copy.share"), targets, width, 1, howToPut.put);
      kernels.mix(
        ...([
          at.logits,
          at.written,
          at.copyQueries,
          at.copyKeys,
          at.shares,
          at.tokens,
          at.asking,
          at.askingAt,
        ] as const),
        ...([at.scores, at.copied, targets, vocabularySize, copyWidth] as const),
      );
    }
    kernels.probabilities(at.logits, at.targets, at.found, targets, vocabularySize, this.#factor);
  }

  /** Entropy, in nats, of the distribution that each chosen token of the last {@link forward} is of, by trajectory. */
  entropies(): Float64Array[] {
    const { vocabularySize } = this.#architecture;
    const at = this.#at;
    this.#kernels.entropies(at.logits, at.entropies, this.#targets, vocabularySize);
    let end = at.entropies / 8;
    return this.#counts.map((count) => {
      end += count;
      return this.#doubles.slice(end - count, end);
    });
  }

  /**
   * Adds the gradient of the last {@link forward}.
   * @param slopes Of the loss by what it returned.
   * @param entropySlopes Of the loss by {@link entropies}, which must have been asked for.
   */
  backward(slopes: readonly Float64Array[], entropySlopes?: readonly Float64Array[]): void {
    const { width, layers, vocabularySize, copyWidth } = this.#architecture;
    const [kernels, at, count, targets] = [this.#kernels, this.#at, this.#tokens, this.#targets];
    this.#lay(slopes, at.slopes);
    if (entropySlopes === undefined) {
      kernels.probabilitiesBack(at.logits, at.targets, at.slopes, targets, vocabularySize, this.#factor);
    } else {
      this.#lay(entropySlopes, at.entropySlopes);
      kernels.probabilitiesAndEntropiesBack(
        ...([at.logits, at.targets, at.slopes, at.entropies, at.entropySlopes] as const),
        ...([targets, vocabularySize, this.#factor] as const),
      );
    }
    if (copyWidth > 0) this.#mixBack();
    const embedding = at.slopeOf("embedding");
    kernels.multiplyTransposed(embedding, at.logits, at.lastNormed, vocabularySize, targets, width, howToPut.add);
    kernels.multiply(at.narrow, at.logits, at.parameter("embedding"), targets, vocabularySize, width, howToPut.put);
    this.#clear(at.wide, count * width);
    if (copyWidth > 0) this.#copyBack();
    kernels.scatterAdd(at.wide, at.narrow, at.asking, targets, width);
    this.#clear(at.slope, count * width);
    const [last, norm] = [at.layer(layers).input, at.parameter("norm")];
    kernels.normaliseBack(at.slope, at.slopeOf("norm"), at.wide, last, norm, count, width);
    for (let index = layers - 1; index >= 0; index--) this.#layerBack(index);
    kernels.scatterAdd(embedding, at.slope, at.tokens, count, width);
  }

  /** From the derivative by the mixture's logits to those by the logits before, the copying head's queries, keys and shares. */
  #mixBack(): void {
    const { vocabularySize, copyWidth } = this.#architecture;
    const [at, count, targets] = [this.#at, this.#tokens, this.#targets];
    this.#clear(at.copyKeySlopes, count * copyWidth);
    this.#kernels.mixBack(
      ...([at.logits, at.copyQuerySlopes, at.copyKeySlopes, at.shareSlopes, at.written, at.copyQueries] as const),
      ...([at.copyKeys, at.shares, at.tokens, at.asking, at.askingAt, at.scores, at.copied] as const),
      ...([targets, vocabularySize, copyWidth] as const),
    );
  }

  /** From the copying head's queries and shares to `narrow`, which has a row a target, and from its keys to `wide`, which has a row a token. */
  #copyBack(): void {
    const { width, copyWidth } = this.#architecture;
    const [kernels, at, count, targets] = [this.#kernels, this.#at, this.#tokens, this.#targets];
    const { put, add } = howToPut;
    const slopeOf = (name: string) => at.slopeOf(`copy.${name}`);
    kernels.multiply(at.narrow, at.copyQuerySlopes, at.turned("copy.query"), targets, copyWidth, width, add);
    kernels.multiply(at.narrow, at.shareSlopes, at.turned("copy.share"), targets, 1, width, add);
    kernels.multiply(at.wide, at.copyKeySlopes, at.turned("copy.key"), count, copyWidth, width, put);
    kernels.multiplyTransposed(slopeOf("query"), at.lastNormed, at.copyQuerySlopes, width, targets, copyWidth, add);
    kernels.multiplyTransposed(slopeOf("share"), at.lastNormed, at.shareSlopes, width, targets, 1, add);
    kernels.multiplyTransposed(slopeOf("key"), at.normed, at.copyKeySlopes, width, count, copyWidth, add);
  }

  /** From the derivative by a layer's output to that by its input, both in `slope`. */
  #layerBack(index: number): void {
    const { width, heads } = this.#architecture;
    const [kernels, at, count] = [this.#kernels, this.#at, this.#tokens];
    const layer = at.layer(index);
    const own = (name: string) => at.parameter(`layers.${index}.${name}`);
    const turned = (name: string) => at.turned(`layers.${index}.${name}`);
    const slopeOf = (name: string) => at.slopeOf(`layers.${index}.${name}`);
    const { slope, narrow, wide } = at;
    const innerWidth = mlpExpansion * width;
    const { put, add } = howToPut;
    kernels.multiplyTransposed(slopeOf("mlp.down"), layer.inner, slope, innerWidth, count, width, add);
    kernels.multiply(wide, slope, turned("mlp.down"), count, width, innerWidth, put);
    this.#forget(wide, innerWidth, 2 * index + 1);
    kernels.cutBack(wide, layer.inner, count * innerWidth);
    kernels.multiplyTransposed(slopeOf("mlp.up"), layer.second, wide, width, count, innerWidth, add);
    kernels.multiply(narrow, wide, turned("mlp.up"), count, innerWidth, width, put);
    kernels.normaliseBack(slope, slopeOf("mlp.norm"), narrow, layer.middle, own("mlp.norm"), count, width);
    kernels.multiplyTransposed(slopeOf("attention.out"), layer.mixed, slope, width, count, width, add);
    kernels.multiply(narrow, slope, turned("attention.out"), count, width, width, put);
    this.#forget(narrow, width, 2 * index);
    this.#clear(wide, count * 3 * width);
    kernels.attendWithinBack(
      ...([wide, narrow, layer.projected, at.positions, at.reaches, at.scores] as const),
      ...([count, width, heads] as const),
    );
    kernels.turn(wide, at.positions, at.cosine, at.sine, count, width, heads, -1);
    kernels.multiplyTransposed(slopeOf("attention.qkv"), layer.first, wide, width, count, 3 * width, add);
    kernels.multiply(narrow, wide, turned("attention.qkv"), count, 3 * width, width, put);
    kernels.normaliseBack(slope, slopeOf("attention.norm"), narrow, layer.input, own("attention.norm"), count, width);
  }

  /** Sets some of every token's numbers to 0; in the way back the same as forward. */
  #forget(numbers: number, width: number, place: number): void {
    if (this.#dropout === undefined) return;
    const { rate, seed } = this.#dropout;
    this.#kernels.forget(numbers, this.#tokens * width, deriveSeed(seed, place), Math.round(rate * 256));
  }

  /** Lays the trajectories end to end, each up to the token before its last chosen one. Returns the chosen tokens of each. */
  #load(trajectories: readonly Trajectory[]): number[] {
    const { tokens, positions, reaches, asking, askingAt, targets } = this.#at;
    const integers = this.#integers;
    const isWhole = this.#architecture.promptAttention === "whole";
    let [token, target] = [0, 0];
    const counts = trajectories.map((trajectory) => {
      const start = target;
      const last = trajectory.chosen.lastIndexOf(1);
      const promptEnd = isWhole ? trajectory.chosen.indexOf(1) - 1 : 0;
      for (let position = 0; position < last; position++) {
        if (trajectory.chosen[position + 1] === 1) {
          integers[asking / 4 + target] = token;
          integers[askingAt / 4 + target] = position;
          integers[targets / 4 + target++] = trajectory.tokens[position + 1] as number;
        }
        integers[tokens / 4 + token] = trajectory.tokens[position] as number;
        integers[reaches / 4 + token] = Math.max(position, promptEnd);
        integers[positions / 4 + token++] = position;
      }
      return target - start;
    });
    if (token > this.tokensMax) throw new RangeError(`expected at most ${this.tokensMax} tokens, got ${token}`);
    this.#tokens = token;
    this.#targets = target;
    return counts;
  }

  #lay(rows: readonly Float64Array[], target: number): void {
    let place = target / 4;
    for (const row of rows) {
      this.#floats.set(row, place);
      place += row.length;
    }
  }

  #found(): Float64Array[] {
    const start = this.#at.found / 8;
    let target = 0;
    return this.#counts.map((count) =>
      Float64Array.from({ length: count }, () => {
        const total = this.#doubles[start + target] as number;
        const above = this.#doubles[start + this.#targets + target++] as number;
        return above - Math.log(total);
      }),
    );
  }

  #copy(target: number, input: number, numbers: number): void {
    this.#floats.copyWithin(target / 4, input / 4, input / 4 + numbers);
  }

  #clear(target: number, numbers: number): void {
    this.#floats.fill(0, target / 4, target / 4 + numbers);
  }
}

type Places = ReturnType<typeof placesIn>;

/** Where everything lies in the kernels' memory, in bytes. */
function placesIn(plan: MemoryPlan, architecture: Architecture, count: number) {
  const { width, heads, layers, vocabularySize, contextTokens, copyWidth } = architecture;
  const parameters = parameterCount(architecture);
  const offsets = new Map(parameterSlots(architecture).map(({ name, offset }) => [name, 4 * offset]));
  const [weights, turned, gradient] = [plan.numbers(parameters), plan.numbers(parameters), plan.numbers(parameters)];
  const within = (start: number) => (name: string) => start + (offsets.get(name) as number);
  const kept = Array.from({ length: layers }, () => ({
    input: plan.numbers(count * width),
    first: plan.numbers(count * width),
    projected: plan.numbers(count * 3 * width),
    mixed: plan.numbers(count * width),
    middle: plan.numbers(count * width),
    second: plan.numbers(count * width),
    inner: plan.numbers(count * mlpExpansion * width),
  }));
  const output = { ...(kept[0] as (typeof kept)[number]), input: plan.numbers(count * width) };
  const tableNumbers = contextTokens * (width / heads / 2);
  return {
    ...{ weights, gradient, parameter: within(weights), turned: within(turned), slopeOf: within(gradient) },
    /** Of a layer; that of index `layers` has an input alone. */
    layer: (index: number) => kept[index] ?? output,
    cosine: plan.numbers(tableNumbers),
    sine: plan.numbers(tableNumbers),
    tokens: plan.numbers(count),
    positions: plan.numbers(count),
    reaches: plan.numbers(count),
    asking: plan.numbers(count),
    askingAt: plan.numbers(count),
    targets: plan.numbers(count),
    slopes: plan.numbers(count),
    entropySlopes: plan.numbers(count),
    ...{ found: plan.numbers(4 * count), entropies: plan.numbers(2 * count) },
    scores: plan.numbers(2 * contextTokens),
    normed: plan.numbers(count * width),
    lastNormed: plan.numbers(count * width),
    logits: plan.numbers(count * vocabularySize),
    written: plan.numbers(copyWidth > 0 ? count * vocabularySize : 0),
    copied: plan.numbers(vocabularySize),
    ...{ copyKeys: plan.numbers(count * copyWidth), copyKeySlopes: plan.numbers(count * copyWidth) },
    ...{ copyQueries: plan.numbers(count * copyWidth), copyQuerySlopes: plan.numbers(count * copyWidth) },
    ...{ shares: plan.numbers(count), shareSlopes: plan.numbers(count) },
    slope: plan.numbers(count * width),
    narrow: plan.numbers(count * width),
    wide: plan.numbers(count * mlpExpansion * width),
  };
}
