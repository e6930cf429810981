import { numpy as np } from "@jax-js/jax";
import { type Architecture, parameterSlots } from "./architecture.ts";

/** Parameters by name, as jax-js arrays. Functions here consume what they are given, as all of jax-js does. */
export type Parameters = Record<string, np.Array>;

/** Keys and values of one layer, each [rows, heads, contextTokens, headWidth]; last, if there is a copying head, its own. */
export type LayerCache = {
  keys: np.Array;
  values: np.Array;
};

/** Far below any attention score, so that its softmax is 0, and finite, so that a row of them is not NaN. */
export const masked = -1e9;

/** Copies flat weights into jax-js. */
export function loadParameters(architecture: Architecture, weights: Float32Array): Parameters {
  return Object.fromEntries(
    parameterSlots(architecture).map(({ name, shape, offset, size }) => [
      name,
      np.array(weights.slice(offset, offset + size)).reshape([...shape]),
    ]),
  );
}

/** A parameter, consumed: each is taken once by each function that is traced. */
export function take(parameters: Parameters, name: string): np.Array {
  const parameter = parameters[name];
  if (!parameter) throw new Error(`no parameter ${name}`);
  return parameter;
}

export function ref(parameters: Parameters, name: string): np.Array {
  return take(parameters, name).ref;
}
