import { deriveSeed } from "../core/random.ts";
import type { Trajectory } from "../core/trajectory.ts";
import { type Architecture, mlpExpansion, parameterCount, parameterSlots, reachOf } from "./architecture.ts";
import { howToPut, type Kernels, kernelsOn } from "./kernels/kernels.ts";
import { MemoryPlan } from "./kernels/memory-plan.ts";
import { rotaryTables } from "./rotary-tables.ts";

/** What a network that learns forgets at random, so that it does not rely on too little. */
export interface Dropout {
  /** Share of what attention and the MLP's inner layer give. */
  readonly rate: number;
  readonly seed: number;
}

/** Tokens that are gone over at a time, where a context is not longer. */
const passTokens = 1024;

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
    this.#dropout = dropout;
    const counts = this.#load(trajectories);
    const { width, heads, layers, vocabularySize } = this.#architecture;
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
    const targets = this.#targets;
    kernels.takeRows(at.last, at.layer(layers).input, at.asking, targets, width);
    kernels.normalise(at.lastNormed, at.last, at.parameter("norm"), targets, width);
    const unembedding = at.turned("embedding");
    kernels.multiply(at.logits, at.lastNormed, unembedding, targets, width, vocabularySize, howToPut.put);
    kernels.probabilities(at.logits, at.targets, at.found, targets, vocabularySize, this.#factor);
    return this.#found(counts);
  }

  /**
   * Adds the gradient of the last {@link forward}.
   * @param slopes Of the loss by what it returned.
   */
  backward(slopes: readonly Float64Array[]): void {
    const { width, layers, vocabularySize } = this.#architecture;
    const [kernels, at, count, targets] = [this.#kernels, this.#at, this.#tokens, this.#targets];
    let place = at.slopes / 4;
    for (const own of slopes) {
      this.#floats.set(own, place);
      place += own.length;
    }
    kernels.probabilitiesBack(at.logits, at.targets, at.slopes, targets, vocabularySize, this.#factor);
    const embedding = at.slopeOf("embedding");
    kernels.multiplyTransposed(embedding, at.logits, at.lastNormed, vocabularySize, targets, width, howToPut.add);
    kernels.multiply(at.narrow, at.logits, at.parameter("embedding"), targets, vocabularySize, width, howToPut.put);
    // The logits are done with: their room holds the derivative by what the last norm read.
    this.#clear(at.logits, targets * width);
    kernels.normaliseBack(at.logits, at.slopeOf("norm"), at.narrow, at.last, at.parameter("norm"), targets, width);
    this.#clear(at.slope, count * width);
    kernels.scatterAdd(at.slope, at.logits, at.asking, targets, width);
    for (let index = layers - 1; index >= 0; index--) this.#layerBack(index);
    kernels.scatterAdd(embedding, at.slope, at.tokens, count, width);
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

  /** Lays the trajectories end to end, each up to the token before its last chosen one. Returns the chosen tokens of each. */
  #load(trajectories: readonly Trajectory[]): number[] {
    const { tokens, positions, reaches, asking, targets } = this.#at;
    const integers = this.#integers;
    let [token, target] = [0, 0];
    const counts = trajectories.map((trajectory) => {
      const start = target;
      const last = trajectory.chosen.lastIndexOf(1);
      const promptTokens = trajectory.chosen.indexOf(1);
      for (let position = 0; position < last; position++) {
        if (trajectory.chosen[position + 1] === 1) {
          integers[asking / 4 + target] = token;
          integers[targets / 4 + target++] = trajectory.tokens[position + 1] as number;
        }
        integers[tokens / 4 + token] = trajectory.tokens[position] as number;
        integers[reaches / 4 + token] = reachOf(this.#architecture, { position, promptTokens });
        integers[positions / 4 + token++] = position;
      }
      return target - start;
    });
    if (token > this.tokensMax) throw new RangeError(`expected at most ${this.tokensMax} tokens, got ${token}`);
    this.#tokens = token;
    this.#targets = target;
    return counts;
  }

  /** Of every token's numbers; the same in the way forward and back. */
  #forget(numbers: number, width: number, place: number): void {
    if (this.#dropout === undefined) return;
    const { rate, seed } = this.#dropout;
    this.#kernels.forget(numbers, this.#tokens * width, deriveSeed(seed, place), Math.round(rate * 256));
  }

  #found(counts: readonly number[]): Float64Array[] {
    const start = this.#at.found / 8;
    let target = 0;
    return counts.map((count) =>
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
  const { width, heads, layers, vocabularySize, contextTokens } = architecture;
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
    targets: plan.numbers(count),
    slopes: plan.numbers(count),
    found: plan.numbers(4 * count),
    scores: plan.numbers(2 * contextTokens),
    last: plan.numbers(count * width),
    lastNormed: plan.numbers(count * width),
    logits: plan.numbers(count * Math.max(vocabularySize, width)),
    slope: plan.numbers(count * width),
    narrow: plan.numbers(count * width),
    wide: plan.numbers(count * mlpExpansion * width),
  };
}
