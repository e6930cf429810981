export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled weight decay (Loshchilov and Hutter 2019); 0 is plain Adam. */
  readonly weightDecay: number;
}

export const adamDefaults: AdamOptions = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

/** Adam (Kingma and Ba 2015, algorithm 1) on flat weights. */
export class Adam {
  readonly first: Float32Array;
  readonly second: Float32Array;
  stepCount = 0;
  readonly #options: AdamOptions;

  constructor(size: number, options: Partial<AdamOptions> = {}) {
    this.first = new Float32Array(size);
    this.second = new Float32Array(size);
    this.#options = { ...adamDefaults, ...options };
  }

  /** Changes `weights` in place. */
  step(weights: Float32Array, gradient: Float32Array, learningRate: number): void {
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    this.stepCount++;
    const correction1 = 1 - beta1 ** this.stepCount;
    const correction2 = 1 - beta2 ** this.stepCount;
    const { first: firsts, second: seconds } = this;
    for (let index = 0; index < weights.length; index++) {
      const slope = gradient[index] as number;
      const first = beta1 * (firsts[index] as number) + (1 - beta1) * slope;
      const second = beta2 * (seconds[index] as number) + (1 - beta2) * slope * slope;
      firsts[index] = first;
      seconds[index] = second;
      const weight = weights[index] as number;
      const direction = first / correction1 / (Math.sqrt(second / correction2) + epsilon);
      weights[index] = weight - learningRate * (direction + weightDecay * weight);
    }
  }
}

/** Adds the numbers of `part` to those of `sum`. */
export function addInto(sum: Float32Array, part: Float32Array): void {
  for (let index = 0; index < sum.length; index++) sum[index] = (sum[index] as number) + (part[index] as number);
}

/** Scales the gradient in place so that its norm is at most `normMax` (Pascanu et al. 2013). Returns the norm before. */
export function clipByNorm(gradient: Float32Array, normMax: number): number {
  let sum = 0;
  for (let index = 0; index < gradient.length; index++) {
    const slope = gradient[index] as number;
    sum += slope * slope;
  }
  const norm = Math.sqrt(sum);
  if (norm > normMax) {
    const scale = normMax / norm;
    for (let index = 0; index < gradient.length; index++) gradient[index] = (gradient[index] as number) * scale;
  }
  return norm;
}

/** Exponential moving average of weights, which generalises better than the last of them (Polyak and Juditsky 1992). */
export class WeightAverage {
  readonly weights: Float32Array;
  readonly #decay: number;
  #stepCount = 0;

  constructor(weights: Float32Array, decay: number) {
    this.weights = weights.slice();
    this.#decay = decay;
  }

  /** Young averages forget faster, so that they are not of the fresh weights. */
  add(weights: Float32Array): void {
    this.#stepCount++;
    const decay = Math.min(this.#decay, this.#stepCount / (this.#stepCount + 9));
    for (let index = 0; index < weights.length; index++)
      this.weights[index] = decay * (this.weights[index] as number) + (1 - decay) * (weights[index] as number);
  }
}
