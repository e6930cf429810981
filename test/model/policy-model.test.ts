import { describe, expect, test } from "vitest";
import { Random } from "../../src/core/random.ts";
import type { Trajectory } from "../../src/core/trajectory.ts";
import { type Architecture, initialWeights, parameterCount, parameterSlots } from "../../src/model/architecture.ts";
import { GradientEngine } from "../../src/model/gradient.ts";
import { chooseToken, Sampler, type Speaker } from "../../src/model/sampler.ts";
import { actId, doneId, endId } from "../../src/model/tokenizer.ts";

const architecture: Architecture = {
  layers: 2,
  width: 16,
  heads: 2,
  vocabularySize: 23,
  contextTokens: 24,
  promptTokens: 8,
  promptAttention: "causal",
  copyWidth: 0,
};
const copying: Architecture = { ...architecture, promptAttention: "whole", copyWidth: 6 };

/** Larger than fresh ones, so that samples are not all alike. */
function someWeights(shape = architecture): Float32Array {
  return initialWeights(shape, 1).map((value) => value * 2);
}

function speaker(prompt: readonly number[], seed: number): Speaker & { readonly heard: number[][] } {
  const heard: number[][] = [];
  return {
    prompt: [...prompt, actId],
    seed,
    heard,
    act: (action, last) => {
      heard.push([...action]);
      return last ? null : [7, 8];
    },
  };
}

async function sample(
  speakers: readonly Speaker[],
  options: { rows?: number; temperature?: number; shape?: Architecture } = {},
): Promise<Trajectory[]> {
  const { shape = architecture } = options;
  const sampler = await Sampler.create(shape, { rows: options.rows ?? 4 });
  sampler.setWeights(someWeights(shape));
  return sampler.sample(speakers, { temperature: options.temperature ?? 1 });
}

const prompts = [[9, 10, 11], [12], [13, 14, 15, 16, 17, 18, 19], [20, 21]];

describe("Sampler", () => {
  test.each([
    ["each token sees those before it", architecture, 1],
    ["a prompt is seen whole and tokens are copied", copying, 1],
    ["so too where it is cold", copying, 0.6],
  ])("log-probabilities of sampled tokens equal those of a whole forward pass: %s", async (_, shape, temperature) => {
    const trajectories = await sample(
      prompts.map((prompt, index) => speaker(prompt, index)),
      { shape, temperature },
    );
    const engine = await GradientEngine.create(shape, { temperature });
    engine.logProbabilities(someWeights(shape), trajectories).forEach((values, row) => {
      const trajectory = trajectories[row] as Trajectory;
      const sampled = trajectory.logProbabilities.filter((_, position) => trajectory.chosen[position] === 1);
      expect(values.length).toBe(sampled.length);
      values.forEach((value, index) => {
        expect(value).toBeCloseTo(sampled[index] as number, 4);
      });
    });
  });

  test("what a row samples depends on its seed alone, not on its neighbours or its place", async () => {
    const together = await sample(prompts.map((prompt, index) => speaker(prompt, index)));
    const turned = await sample(prompts.map((prompt, index) => speaker(prompt, index)).reverse());
    expect(turned.reverse()).toEqual(together);
    expect(await sample([speaker(prompts[2] as number[], 2)])).toEqual([together[2]]);
  });

  test("an action ends at <end> or <done>, and what is heard is read before the next", async () => {
    const speakers = Array.from({ length: 4 }, (_, seed) => speaker([9], seed));
    const trajectories = await sample(speakers);
    trajectories.forEach(({ tokens, chosen }, row) => {
      expect(tokens.length).toBeLessThanOrEqual(architecture.contextTokens);
      const actions: number[][] = [];
      let action: number[] = [];
      tokens.forEach((token, position) => {
        if (chosen[position] !== 1) return;
        if (token === endId || token === doneId) actions.push(action.splice(0));
        else action.push(token);
        if (token === endId)
          expect([...tokens.slice(position + 1, position + 4)]).toEqual(
            [7, 8, actId].slice(0, tokens.length - position - 1),
          );
      });
      action = [];
      expect(speakers[row]?.heard).toEqual(actions);
    });
  });

  test("an asynchronous speaker gives the same episodes", async () => {
    const later = prompts.map((prompt, index): Speaker => {
      const own = speaker(prompt, index);
      return { ...own, act: (action, last) => Promise.resolve(own.act(action, last)) };
    });
    expect(await sample(later)).toEqual(await sample(prompts.map((prompt, index) => speaker(prompt, index))));
  });

  test("tokens come as often as their probabilities say", () => {
    const random = new Random(5);
    const logits = Float32Array.of(0, Math.log(2), Math.log(5));
    const counts = [0, 0, 0];
    for (let draw = 0; draw < 8000; draw++) {
      const { token, logProbability } = chooseToken(logits, 1, random);
      counts[token] = (counts[token] as number) + 1;
      expect(logProbability).toBeCloseTo(Math.log([1, 2, 5][token] as number) - Math.log(8), 6);
    }
    [1, 2, 5].forEach((weight, token) => {
      expect((counts[token] as number) / 8000).toBeCloseTo(weight / 8, 1);
    });
    expect(chooseToken(logits, 0, random).token).toBe(2);
  });
});

describe("GradientEngine", () => {
  const trajectory: Trajectory = {
    tokens: Int32Array.of(9, 10, actId, 5, 6, doneId),
    chosen: Uint8Array.of(0, 0, 0, 1, 1, 1),
    logProbabilities: new Float32Array(6),
  };

  test.each([
    ["a plain network", architecture, 0.8],
    ["one that copies", copying, 1],
    ["one that copies, cold", copying, 0.8],
  ])("the gradient agrees with finite differences of the loss: %s", async (_, shape, temperature) => {
    const engine = await GradientEngine.create(shape, { temperature });
    const weights = someWeights(shape);
    const coefficients = [0.3, -1.2, 0.7];
    const loss = (at: Float32Array) =>
      (engine.logProbabilities(at, [trajectory])[0] as Float64Array).reduce(
        (sum, value, index) => sum + value * (coefficients[index] as number),
        0,
      );
    const gradient = engine.gradient(weights, [trajectory], (_, values, derivative) => {
      derivative.set(coefficients.slice(0, values.length));
    });
    for (const { name, offset, size } of parameterSlots(shape)) {
      const index = offset + largestIn(gradient.subarray(offset, offset + size));
      const step = 2e-4;
      const [up, down] = [weights.slice(), weights.slice()];
      up[index] = (up[index] as number) + step;
      down[index] = (down[index] as number) - step;
      const slope = (loss(up) - loss(down)) / (2 * step);
      expect(Math.abs(slope - (gradient[index] as number)), `${name}: ${slope} and ${gradient[index]}`).toBeLessThan(
        0.02 * Math.abs(slope) + 1e-2,
      );
    }
  });

  test("the cross-entropy's own program gives the gradient that the general one gives", async () => {
    const engine = await GradientEngine.create(copying, { temperature: 1 });
    const weights = someWeights(copying);
    const expected = engine.gradient(weights, [trajectory], (_, __, derivative) => void derivative.fill(-1 / 3));
    const { gradient, logProbabilities } = engine.crossEntropy(weights, [trajectory], {
      tokens: 3,
      dropout: undefined,
    });
    engine.logProbabilities(weights, [trajectory])[0]?.forEach((value, index) => {
      expect(logProbabilities[0]?.[index]).toBeCloseTo(value, 5);
    });
    gradient.forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index] as number, 5);
    });
    const forgetful = () => engine.crossEntropy(weights, [trajectory], { tokens: 3, dropout: { rate: 0.5, seed: 7 } });
    expect(forgetful()).toEqual(forgetful());
    expect(forgetful().gradient).not.toEqual(gradient);
  });

  test("the gradient of many trajectories is the same however they are ordered", async () => {
    const engine = await GradientEngine.create(architecture, { temperature: 1 });
    const many = Array.from({ length: 40 }, (_, index) => ({
      ...trajectory,
      tokens: trajectory.tokens.with(0, 5 + (index % 9)),
    }));
    const derive = (_: number, __: Float64Array, derivative: Float64Array) => void derivative.fill(1);
    const forward = engine.gradient(someWeights(), many, derive);
    expect(forward.length).toBe(parameterCount(architecture));
    expect(engine.gradient(someWeights(), many, derive)).toEqual(forward);
  });
});

function largestIn(values: Float32Array): number {
  return values.reduce((best, value, index) => (Math.abs(value) > Math.abs(values[best] as number) ? index : best), 0);
}
