import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { presetNames } from "../../src/grpo/algorithm-options.ts";
import { type ChatterRun, runChatter } from "./chatter.ts";

/** One batch of twelve episodes, twice in minibatches of four, so that ratios leave 1. */
const train = { iterations: 1, groupsPerBatch: 3, evalEpisodes: 1, updatesPerBatch: 2, minibatchEpisodes: 4 } as const;

const runs = new Map<string, Promise<ChatterRun>>();

/** The run with one worker, made when it is first asked for. */
function runBy(algorithm: (typeof presetNames)[number]): Promise<ChatterRun> {
  const run = runs.get(algorithm) ?? runChatter({ train: { ...train, algorithm }, workers: 1 });
  runs.set(algorithm, run);
  return run;
}

describe("a training run", () => {
  test.each(presetNames)("by %s learns, and no violator gains", async (algorithm) => {
    const figures = figuresOf(await runBy(algorithm));
    expect(figures.gradNorm).toBeGreaterThan(0);
    expect(Number.isFinite(figures.loss)).toBe(true);
    expect(figures.violatorsWithPositiveAdvantage).toBe(0);
    expect(figures.episodesWithoutReward).toBe(0);
  });

  // One of each way that a loss takes: by tokens of the batch, by sequences, with a baseline.
  test.each(["dapo", "gspo", "reinforce++_baseline"] as const)(
    "by %s ends the same with 1 and 2 workers",
    async (algorithm) => {
      const two = await runChatter({ train: { ...train, algorithm }, workers: 2 });
      expect(weightsOf(two).equals(weightsOf(await runBy(algorithm)))).toBe(true);
    },
  );

  test("with a reference, a cap on stale tokens and accumulation does so too, and tells its divergence", async () => {
    const loss = { klCoefficient: 0.1, importanceCap: 2 };
    const options = { ...train, iterations: 2, accumulate: 2, loss };
    const one = await runChatter({ train: options, workers: 1 });
    const two = await runChatter({ train: options, workers: 2 });
    expect(weightsOf(two).equals(weightsOf(one))).toBe(true);
    expect(figuresOf(one).referenceKl).toBeGreaterThan(0);
    const plain = await runChatter({ train: { ...options, loss: {} }, workers: 1 });
    expect(figuresOf(plain)).not.toHaveProperty("referenceKl");
    expect(weightsOf(plain).equals(weightsOf(one))).toBe(false);
  });

  test("sums the minibatches of a step to what one minibatch of their size gives", async () => {
    for (const algorithm of ["grpo", "dapo"] as const) {
      const shared = { ...train, algorithm, updatesPerBatch: 1 };
      const figures = async (minibatches: { readonly minibatchEpisodes: number; readonly accumulate?: number }) =>
        figuresOf(await runChatter({ train: { ...shared, ...minibatches }, workers: 1 }));
      const cut = await figures({ minibatchEpisodes: 3, accumulate: 4 });
      const whole = await figures({ minibatchEpisodes: 12 });
      expect(cut.loss).toBeCloseTo(whole.loss as number, 6);
      expect((cut.gradNorm as number) / (whole.gradNorm as number)).toBeCloseTo(1, 4);
    }
  });
});

function figuresOf({ report }: ChatterRun): Readonly<Record<string, number>> {
  return report.curve.at(-1)?.metrics ?? {};
}

function weightsOf({ out, report }: ChatterRun): Buffer {
  return readFileSync(join(out, "checkpoints", String(report.iterations), "model.safetensors"));
}
