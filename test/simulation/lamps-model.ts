import { type Architecture, parameterCount } from "../../src/model/architecture.ts";
import type { Checkpoint } from "../../src/model/checkpoint.ts";
import { specialTokens, Tokenizer } from "../../src/model/tokenizer.ts";

const architecture: Architecture = {
  ...{ layers: 1, width: 2, heads: 1, vocabularySize: specialTokens.length, contextTokens: 8, promptTokens: 4 },
  ...{ promptAttention: "causal", copyWidth: 0 },
};

/** A checkpoint of the smallest shape; of its weights, the first are the preferences for the buttons. */
export const lampsModel: Checkpoint = {
  architecture,
  tokenizer: new Tokenizer(specialTokens, []),
  weights: new Float32Array(parameterCount(architecture)),
  provenance: {},
};
