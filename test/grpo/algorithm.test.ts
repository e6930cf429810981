import { describe, expect, test } from "vitest";
import { trainOptions } from "../../src/config/train-options.ts";
import { algorithmOf } from "../../src/grpo/algorithm.ts";
import { type PresetName, presetNames } from "../../src/grpo/algorithm-options.ts";

const plain = { advantage: {}, loss: {} };
const grpo = algorithmOf({ algorithm: "grpo", ...plain });

describe("algorithmOf", () => {
  test("grpo is: sample deviation of the group, token ratios clipped at 0.2, mean of means, no divergence", () => {
    expect(grpo).toEqual({
      advantage: { estimator: "grpo", scale: "group", ddof: 1, epsilon: 1e-6, spreadTolerance: 1e-9 },
      loss: {
        type: "clip",
        ratio: "token",
        bounds: "offset",
        clipLow: 0.2,
        clipHigh: 0.2,
        dualClip: null,
        sapoPositive: 1,
        sapoNegative: 1.05,
        aggregation: "sequence",
        divisor: 64,
        klCoefficient: 0,
        klEstimator: "k3",
        entropyCoefficient: 0,
        importanceCap: null,
      },
    });
  });

  const differences: Readonly<Record<PresetName, { advantage?: object; loss?: object }>> = {
    grpo: {},
    dr_grpo: { advantage: { scale: "none" }, loss: { aggregation: "dr_grpo" } },
    dapo: { loss: { clipHigh: 0.28, aggregation: "dapo" } },
    rloo: { advantage: { estimator: "rloo" } },
    gspo: { loss: { ratio: "sequence", clipLow: 3e-4, clipHigh: 4e-4 } },
    cispo: { loss: { type: "cispo", bounds: "ratio", clipLow: 0, clipHigh: 5, aggregation: "dapo" } },
    sapo: { loss: { type: "sapo" } },
    gdpo: { advantage: { estimator: "gdpo" } },
    maxrl: { advantage: { estimator: "maxrl" } },
    "reinforce++": { advantage: { estimator: "reinforce++" }, loss: { aggregation: "dapo" } },
    "reinforce++_baseline": { advantage: { estimator: "reinforce++_baseline" }, loss: { aggregation: "dapo" } },
  };
  test.each(presetNames)("%s differs from grpo as documented, and in nothing else", (algorithm) => {
    const { advantage, loss } = differences[algorithm];
    expect(algorithmOf({ algorithm, ...plain })).toEqual({
      advantage: { ...grpo.advantage, ...advantage },
      loss: { ...grpo.loss, ...loss },
    });
  });

  test("what the config says itself wins over the preset, and clipRange over the preset's bounds alone", () => {
    const options = trainOptions.parse({
      algorithm: "cispo",
      clipRange: 0.1,
      advantage: { ddof: 0 },
      loss: { clipHigh: 0.3, aggregation: undefined },
    });
    const { advantage, loss } = algorithmOf(options);
    expect(advantage).toEqual({ ...grpo.advantage, ddof: 0 });
    expect(loss).toMatchObject({ type: "cispo", bounds: "offset", clipLow: 0.1, clipHigh: 0.3, aggregation: "dapo" });
  });

  test("GRPO is grpo; an unknown algorithm or key, and bounds of the ratio without 1 between them, are refused", () => {
    expect(trainOptions.parse({ algorithm: "GRPO" }).algorithm).toBe("grpo");
    for (const wrong of [{ algorithm: "ppo" }, { loss: { clip: 1 } }, { loss: { bounds: "ratio", clipHigh: 0.5 } }])
      expect(() => trainOptions.parse(wrong)).toThrow();
    expect(() => algorithmOf({ algorithm: "grpo", advantage: {}, loss: { bounds: "ratio" } })).toThrow(
      "train.loss.clipHigh must be at least 1 where train.loss.bounds is ratio, got 0.2",
    );
  });
});
