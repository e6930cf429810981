import { init, nn, numpy as np, tree, vjp } from "@jax-js/jax";
import type { Trajectory } from "../../src/core/trajectory.ts";
import { type Architecture, parameterCount, parameterSlots, rotaryBase } from "../../src/model/architecture.ts";
import type { LossDerivative } from "../../src/model/gradient.ts";

/** Parameters by name. Functions here consume what they are given, as all of jax-js does. */
type Parameters = Record<string, np.Array>;

/** What `GradientEngine` does, written as formulas and differentiated by jax-js: the reference that it is held against. A trajectory at a time. */
export class AutodiffEngine {
  readonly #architecture: Architecture;
  readonly #temperature: number;

  private constructor(architecture: Architecture, { temperature }: { readonly temperature: number }) {
    this.#architecture = architecture;
    this.#temperature = temperature;
  }

  static async create(architecture: Architecture, options: { readonly temperature: number }): Promise<AutodiffEngine> {
    await init("wasm");
    return new AutodiffEngine(architecture, options);
  }

  logProbabilities(weights: Float32Array, trajectories: readonly Trajectory[]): Float64Array[] {
    return trajectories.map((trajectory) => {
      const values = this.#formula(trajectory)(parametersOf(this.#architecture, weights));
      return Float64Array.from(values.dataSync());
    });
  }

  gradient(weights: Float32Array, trajectories: readonly Trajectory[], derive: LossDerivative): Float32Array {
    const sum = new Float32Array(parameterCount(this.#architecture));
    trajectories.forEach((trajectory, row) => {
      const [values, pullback] = vjp(this.#formula(trajectory), [parametersOf(this.#architecture, weights)]);
      const own = Float64Array.from(values.dataSync());
      const derivative = new Float64Array(own.length);
      derive(row, own, derivative);
      const [gradients] = pullback(np.array(Float32Array.from(derivative))) as unknown as [Parameters];
      for (const { name, offset } of parameterSlots(this.#architecture)) {
        (gradients[name] as np.Array).dataSync().forEach((value, index) => {
          sum[offset + index] = (sum[offset + index] as number) + value;
        });
      }
      pullback.dispose();
    });
    return sum;
  }

  /** Log-probability of every chosen token, in order. */
  #formula({ tokens, chosen }: Trajectory): (parameters: Parameters) => np.Array {
    const length = tokens.length;
    const places = Array.from(chosen.keys()).filter((place) => chosen[place] === 1);
    const { vocabularySize } = this.#architecture;
    const targets = places.map((place) => tokens[place] as number);
    const picked = oneHot(
      targets.map((target) => target),
      vocabularySize,
    );
    const rows = oneHot(
      places.map((place) => place - 1),
      length,
    );
    return (parameters) => {
      const hidden = finalHidden(this.#architecture, parameters, { tokens, promptEnd: (places[0] ?? length) - 1 });
      const logits = nextLogits(this.#architecture, parameters, { hidden, tokens }).mul(1 / this.#temperature);
      const asked = np.matmul(np.array(rows).reshape([places.length, length]), logits);
      const normaliser = nn.logsumexp(asked.ref, -1);
      return asked
        .mul(np.array(picked).reshape([places.length, vocabularySize]))
        .sum(-1)
        .sub(normaliser);
    };
  }
}

function parametersOf(architecture: Architecture, weights: Float32Array): Parameters {
  return Object.fromEntries(
    parameterSlots(architecture).map(({ name, shape, offset, size }) => [
      name,
      np.array(weights.slice(offset, offset + size)).reshape([...shape]),
    ]),
  );
}

/** [indices.length × size] */
function oneHot(indices: readonly number[], size: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(indices.length * size);
  indices.forEach((index, row) => {
    values[row * size + index] = 1;
  });
  return values;
}

/** [length, width] */
function finalHidden(
  architecture: Architecture,
  parameters: Parameters,
  { tokens, promptEnd }: { readonly tokens: Int32Array; readonly promptEnd: number },
): np.Array {
  const { layers, heads, width, vocabularySize, promptAttention } = architecture;
  const length = tokens.length;
  const take = (name: string) => (parameters[name] as np.Array).ref;
  const unseen = Float32Array.from({ length: length * length }, (_, index) => {
    const [from, to] = [Math.floor(index / length), index % length];
    const sees = to <= from || (promptAttention === "whole" && to <= promptEnd);
    return sees ? 0 : -1e9;
  });
  const mask = np.array(unseen).reshape([1, length, length]);
  const rotation = rotationOf(architecture, length);
  let hidden = np.matmul(
    np.array(oneHot([...tokens], vocabularySize)).reshape([length, vocabularySize]),
    take("embedding"),
  );
  for (let layer = 0; layer < layers; layer++) {
    const own = (name: string) => take(`layers.${layer}.${name}`);
    const parts = np.split(np.matmul(normalise(hidden.ref, own("attention.norm")), own("attention.qkv")), 3, -1);
    const [query, key, value] = parts.map((part) =>
      part.reshape([length, heads, width / heads]).transpose([1, 0, 2]),
    ) as [np.Array, np.Array, np.Array];
    const scores = np.matmul(rotate(query, rotation), rotate(key, rotation).transpose([0, 2, 1]));
    const weights = nn.softmax(scores.mul(1 / Math.sqrt(width / heads)).add(mask.ref), -1);
    const mixed = np.matmul(weights, value).transpose([1, 0, 2]).reshape([length, width]);
    hidden = hidden.add(np.matmul(mixed, own("attention.out")));
    const inner = nn.relu(np.matmul(normalise(hidden.ref, own("mlp.norm")), own("mlp.up")));
    hidden = hidden.add(np.matmul(inner, own("mlp.down")));
  }
  mask.dispose();
  tree.dispose(rotation);
  return normalise(hidden, take("norm"));
}

/** [length, vocabularySize]; with a copying head, the logarithm of the mixture (See et al. 2017, equation 9). */
function nextLogits(
  { copyWidth, vocabularySize }: Architecture,
  parameters: Parameters,
  { hidden, tokens }: { readonly hidden: np.Array; readonly tokens: Int32Array },
): np.Array {
  const length = tokens.length;
  const take = (name: string) => (parameters[name] as np.Array).ref;
  const logits = np.matmul(hidden.ref, take("embedding").transpose());
  if (copyWidth === 0) {
    hidden.dispose();
    return logits;
  }
  const unseen = Float32Array.from({ length: length * length }, (_, index) =>
    index % length <= Math.floor(index / length) ? 0 : -1e9,
  );
  const query = np.matmul(hidden.ref, take("copy.query")).mul(1 / Math.sqrt(copyWidth));
  const scores = np.matmul(query, np.matmul(hidden.ref, take("copy.key")).transpose());
  const pointed = nn.softmax(scores.add(np.array(unseen).reshape([length, length])), -1);
  const copied = np.matmul(pointed, np.array(oneHot([...tokens], vocabularySize)).reshape([length, vocabularySize]));
  const share = nn.sigmoid(np.matmul(hidden, take("copy.share")));
  const written = nn.softmax(logits, -1).mul(np.subtract(1, share.ref));
  return np.log(written.add(copied.mul(share)).add(1e-9));
}

/** Cosines and sines, each [1, length, headWidth / 2]. */
type Rotation = { cosine: np.Array; sine: np.Array };

function rotationOf({ width, heads }: Architecture, length: number): Rotation {
  const pairs = width / heads / 2;
  const angles = Array.from(
    { length: length * pairs },
    (_, index) => Math.floor(index / pairs) * rotaryBase ** (-(index % pairs) / pairs),
  );
  const table = (of: (angle: number) => number) => np.array(Float32Array.from(angles, of)).reshape([1, length, pairs]);
  return { cosine: table(Math.cos), sine: table(Math.sin) };
}

/** Rotary position embedding (Su et al. 2021, equation 34), on halves rather than on neighbours. */
function rotate(input: np.Array, { cosine, sine }: Rotation): np.Array {
  const [first, second] = np.split(input, 2, -1) as [np.Array, np.Array];
  return np.concatenate(
    [first.ref.mul(cosine.ref).sub(second.ref.mul(sine.ref)), first.mul(sine.ref).add(second.mul(cosine.ref))],
    -1,
  );
}

/** Root mean square layer normalisation (Zhang and Sennrich 2019, equation 4). */
function normalise(input: np.Array, gain: np.Array): np.Array {
  const meanSquare = np.mean(np.square(input.ref), -1, { keepdims: true });
  return input.mul(np.reciprocal(np.sqrt(meanSquare.add(1e-6)))).mul(gain);
}
