import type { NamedResources } from "./rollout-record.ts";

/** Weights of a run that lie somewhere as a checkpoint. */
export interface KeptWeights {
  readonly run: string;
  /** What they are called in the run: their iteration, or `best`, which names others in the course of time. */
  readonly name: string;
  /** Updates that led to them; 0 is the base policy. */
  readonly iteration: number;
  /** Of the weights as little-endian float32: 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** How many numbers they are. */
  readonly parameters: number;
  /** Where the checkpoint lies: its folder, as a `file:` URL. */
  readonly url: string;
}

/** The id of their resources. Without a slash, since clients of the reference put ids into paths as they are. */
export function weightsId(run: string, name: string): string {
  return `${run}${separator}${name}`;
}

/** The run whose weights resources of this id are. */
export function runOfWeights(resourcesId: string): string {
  return resourcesId.slice(0, resourcesId.lastIndexOf(separator));
}

export const separator = ":weights:";

/**
 * As resources that a client of the reference reads: it knows three kinds and fails at any other, and passes over what a kind has besides.
 */
export function weightsResources({ run, iteration, sha256, parameters, url }: KeptWeights): NamedResources {
  return {
    weights: {
      ...{ resource_type: "llm", endpoint: url, model: `${run}@${iteration}`, api_key: null, sampling_parameters: {} },
      ...{ run, iteration, sha256, parameters },
    },
  };
}
