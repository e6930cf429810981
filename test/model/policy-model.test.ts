import { describe, expect, test } from "vitest";
import { Random } from "../../src/core/random.ts";
import type { Trajectory } from "../../src/core/trajectory.ts";
import { type Architecture, initialWeights, parameterCount, parameterSlots } from "../../src/model/architecture.ts";
import { Decoder } from "../../src/model/decoder.ts";
import { cutIntoShards, GradientEngine } from "../../src/model/gradient.ts";
import { Sampler, type Speaker } from "../../src/model/sampler.ts";
import { actId, doneId, endId } from "../../src/model/tokenizer.ts";
import { AutodiffEngine } from "./autodiff.ts";

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
const copying: Partial<Architecture> = { promptAttention: "whole", copyWidth: 6 };

/** Larger than fresh ones, so that samples are not all alike. */
function someWeights(seed = 1): Float32Array {
  return initialWeights(architecture, seed).map((value) => value * 2);
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
  options: { rows?: number; temperature?: number } = {},
): Promise<Trajectory[]> {
  const sampler = new Sampler(architecture, { rows: options.rows ?? 4 });
  sampler.setWeights(someWeights());
  return sampler.sample(speakers, { temperature: options.temperature ?? 1 });
}

const prompts = [[9, 10, 11], [12], [13, 14, 15, 16, 17, 18, 19], [20, 21]];

describe("Sampler", () => {
  test("log-probabilities of sampled tokens equal those of a whole forward pass", async () => {
    const trajectories = await sample(prompts.map((prompt, index) => speaker(prompt, index)));
    const engine = await AutodiffEngine.create(architecture, { temperature: 1 });
    engine.logProbabilities(someWeights(), trajectories).forEach((values, row) => {
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

  test("tokens come as often as their probabilities say, as a whole forward pass has them", async () => {
    const decoder = new Decoder(architecture, { rows: 2 });
    decoder.setWeights(someWeights());
    decoder.read([9, 10], { row: 1, position: 0 });
    decoder.read([actId], { row: 1, position: 2 });
    decoder.flush();
    const engine = await AutodiffEngine.create(architecture, { temperature: 0.8 });
    const next = Array.from({ length: architecture.vocabularySize }, (_, token) => ({
      tokens: Int32Array.of(9, 10, actId, token),
      chosen: Uint8Array.of(0, 0, 0, 1),
      logProbabilities: new Float32Array(4),
    }));
    const expected = engine.logProbabilities(someWeights(), next).map(([value]) => value as number);
    const draws = 20_000;
    const counts = expected.map(() => 0);
    const random = new Random(5);
    for (let index = 0; index < draws; index++) {
      const { token, logProbability } = decoder.draw(1, { temperature: 0.8, uniform: random.next() });
      counts[token] = (counts[token] as number) + 1;
      expect(logProbability).toBeCloseTo(expected[token] as number, 4);
    }
    expected.forEach((value, token) => {
      expect((counts[token] as number) / draws).toBeCloseTo(Math.exp(value), 1.5);
    });
    const best = expected.indexOf(Math.max(...expected));
    expect(decoder.draw(1, { temperature: 0, uniform: 0 })).toEqual({ token: best, logProbability: 0 });
  });

  test.each([
    ["an odd vocabulary and heads that no vector of four fits", { width: 12, heads: 2, vocabularySize: 37 }],
    ["more layers", { layers: 3 }],
    ["one head", { heads: 1 }],
    ["prompts that are seen whole", { promptAttention: "whole" as const }],
    ["a copying head", { copyWidth: 6 }],
    ["both, in prompts longer than a pass is for others", { ...copying, promptTokens: 90, contextTokens: 130 }],
  ])("log-probabilities are those of a whole forward pass with %s", async (_, changed) => {
    const other = { ...architecture, ...changed };
    const weights = initialWeights(other, 3).map((value) => value * 2);
    const sampler = new Sampler(other, { rows: 4 });
    sampler.setWeights(weights);
    const long = Array.from({ length: other.promptTokens - 1 }, (_, index) => 9 + (index % 14));
    const trajectories = await sampler.sample(
      [...prompts, long].slice(-4).map((prompt, index) => speaker(prompt, index)),
      { temperature: 0.7 },
    );
    const engine = await AutodiffEngine.create(other, { temperature: 0.7 });
    engine.logProbabilities(weights, trajectories).forEach((values, row) => {
      const { chosen, logProbabilities } = trajectories[row] as Trajectory;
      const sampled = logProbabilities.filter((_, position) => chosen[position] === 1);
      values.forEach((value, index) => {
        expect(value).toBeCloseTo(sampled[index] as number, 3);
      });
    });
  });
});

describe("GradientEngine", () => {
  const trajectory: Trajectory = {
    tokens: Int32Array.of(9, 10, actId, 5, 6, doneId),
    chosen: Uint8Array.of(0, 0, 0, 1, 1, 1),
    logProbabilities: new Float32Array(6),
  };

  test("the gradient agrees with finite differences of the loss", async () => {
    const engine = new GradientEngine(architecture, { temperature: 0.8 });
    const weights = someWeights();
    const coefficients = [0.3, -1.2, 0.7];
    const loss = (at: Float32Array) =>
      (engine.logProbabilities(at, [trajectory])[0] as Float64Array).reduce(
        (sum, value, index) => sum + value * (coefficients[index] as number),
        0,
      );
    const gradient = engine.gradient(weights, [trajectory], (_, values, derivative) => {
      derivative.set(coefficients.slice(0, values.length));
    });
    for (const { name, offset, size } of parameterSlots(architecture)) {
      const index = offset + largestIn(gradient.subarray(offset, offset + size));
      const step = 1e-3;
      const [up, down] = [weights.slice(), weights.slice()];
      up[index] = (up[index] as number) + step;
      down[index] = (down[index] as number) - step;
      const slope = (loss(up) - loss(down)) / (2 * step);
      expect(Math.abs(slope - (gradient[index] as number)), `${name}: ${slope} and ${gradient[index]}`).toBeLessThan(
        0.02 * Math.abs(slope) + 1e-2,
      );
    }
  });

  test.each([
    ["an odd vocabulary and heads that no vector of four fits", { width: 12, heads: 2, vocabularySize: 37 }],
    ["more layers and one head", { layers: 3, heads: 1 }],
    ["wide layers", { width: 64, heads: 4, vocabularySize: 130 }],
    ["prompts that are seen whole", { promptAttention: "whole" as const }],
    ["a copying head too", { ...copying, layers: 1, vocabularySize: 37 }],
  ])("log-probabilities and gradients are those of automatic differentiation: %s", async (_, changed) => {
    const shape = { ...architecture, ...changed };
    const weights = initialWeights(shape, 3).map((value) => value * 2);
    const random = new Random(11);
    const integer = (below: number) => Math.floor(random.next() * below);
    // Of two kinds alone: the reference compiles for every length and number of targets.
    const kinds = [someTrajectory(9, { shape, integer }), someTrajectory(20, { shape, integer })];
    const many = Array.from({ length: 12 }, (_, index) => {
      const { tokens, chosen, logProbabilities } = kinds[index % 2] as Trajectory;
      return { tokens: tokens.map(() => integer(shape.vocabularySize)), chosen, logProbabilities };
    });
    // No two alike, so that a derivative in the wrong place shows.
    const derive = (row: number, values: Float64Array, derivative: Float64Array) => {
      values.forEach((value, index) => {
        derivative[index] = Math.sin(row * 31 + index) - 0.1 * value;
      });
    };
    const [own, autodiff] = [
      new GradientEngine(shape, { temperature: 0.8 }),
      await AutodiffEngine.create(shape, { temperature: 0.8 }),
    ];
    const expected = autodiff.logProbabilities(weights, many);
    own.logProbabilities(weights, many).forEach((values, row) => {
      expect(values.length).toBe(expected[row]?.length);
      values.forEach((value, index) => {
        expect(value).toBeCloseTo(expected[row]?.[index] as number, 4);
      });
    });
    const [mine, theirs] = [own.gradient(weights, many, derive), autodiff.gradient(weights, many, derive)];
    for (const { name, offset, size } of parameterSlots(shape)) {
      const [one, other] = [mine.subarray(offset, offset + size), theirs.subarray(offset, offset + size)];
      // Not number by number: where an activation is all but 0, rounding decides on which side of the cut it falls.
      const apart = norm(one.map((value, index) => value - (other[index] as number)));
      expect(apart / norm(other), name).toBeLessThan(2e-4);
    }
  });

  test("with dropout, the gradient is that of the network that the seed leaves", () => {
    const shape = { ...architecture, ...copying };
    const weights = initialWeights(shape, 5);
    const integer = (below: number) => Math.floor(random.next() * below);
    const random = new Random(2);
    const many = Array.from({ length: 6 }, () => someTrajectory(6 + integer(10), { shape, integer }));
    const engine = new GradientEngine(shape, { temperature: 1 });
    const lossOf = (at: Float32Array, seed: number) => {
      let loss = 0;
      const gradient = engine.gradient(
        at,
        many,
        (_, values, derivative) => {
          for (const value of values) loss -= value;
          derivative.fill(-1);
        },
        { dropout: { rate: 0.3, seed } },
      );
      return { loss, gradient };
    };
    const { loss, gradient } = lossOf(weights, 1);
    expect(lossOf(weights, 1)).toEqual({ loss, gradient });
    expect(lossOf(weights, 2).loss).not.toBe(loss);
    for (const { name, offset, size } of parameterSlots(shape)) {
      const index = offset + largestIn(gradient.subarray(offset, offset + size));
      const step = 5e-4;
      const [up, down] = [weights.slice(), weights.slice()];
      up[index] = (up[index] as number) + step;
      down[index] = (down[index] as number) - step;
      const slope = (lossOf(up, 1).loss - lossOf(down, 1).loss) / (2 * step);
      expect(Math.abs(slope - (gradient[index] as number)), `${name}: ${slope} and ${gradient[index]}`).toBeLessThan(
        0.03 * Math.abs(slope) + 2e-2,
      );
    }
  });

  test.each([{}, copying])("the gradient of entropies agrees with finite differences: %j", (changed) => {
    const shape = { ...architecture, ...changed };
    const weights = initialWeights(shape, 5);
    const random = new Random(3);
    const integer = (below: number) => Math.floor(random.next() * below);
    const many = Array.from({ length: 4 }, () => someTrajectory(6 + integer(10), { shape, integer }));
    const engine = new GradientEngine(shape, { temperature: 0.8 });
    const lossOf = (at: Float32Array) => {
      let loss = 0;
      const gradient = engine.gradient(
        at,
        many,
        (row, values, derivative, entropy) => {
          values.forEach((value, index) => {
            const weight = Math.sin(row + index);
            loss += 0.3 * value + weight * (entropy?.values[index] as number);
            derivative[index] = 0.3;
            (entropy as { derivative: Float64Array }).derivative[index] = weight;
            expect(entropy?.values[index]).toBeGreaterThan(0);
            expect(entropy?.values[index]).toBeLessThan(Math.log(shape.vocabularySize));
          });
        },
        { entropy: true },
      );
      return { loss, gradient };
    };
    const { gradient } = lossOf(weights);
    for (const { name, offset, size } of parameterSlots(shape)) {
      const index = offset + largestIn(gradient.subarray(offset, offset + size));
      const step = 5e-4;
      const [up, down] = [weights.slice(), weights.slice()];
      up[index] = (up[index] as number) + step;
      down[index] = (down[index] as number) - step;
      const slope = (lossOf(up).loss - lossOf(down).loss) / (2 * step);
      expect(Math.abs(slope - (gradient[index] as number)), `${name}: ${slope} and ${gradient[index]}`).toBeLessThan(
        0.03 * Math.abs(slope) + 1e-2,
      );
    }
  });

  test("a gradient does not depend on what was computed before it, nor on another engine", () => {
    const many = Array.from({ length: 40 }, (_, index) => ({
      ...trajectory,
      tokens: trajectory.tokens.with(0, 5 + (index % 9)),
    }));
    const derive = (_: number, __: Float64Array, derivative: Float64Array) => void derivative.fill(1);
    const engine = new GradientEngine(architecture, { temperature: 1 });
    const first = engine.gradient(someWeights(), many, derive);
    expect(first.length).toBe(parameterCount(architecture));
    engine.gradient(someWeights(2), [trajectory], derive);
    expect(engine.gradient(someWeights(), many, derive)).toEqual(first);
    expect(new GradientEngine(architecture, { temperature: 1 }).gradient(someWeights(), many, derive)).toEqual(first);
  });

  test("shards are dealt every trajectory once, and about as many tokens each", () => {
    const integer = (below: number) => Math.floor(new Random(below).next() * below);
    const many = Array.from({ length: 33 }, (_, index) =>
      someTrajectory(2 + ((index * 7) % 90), { shape: architecture, integer }),
    );
    const shards = cutIntoShards(many, 4);
    expect(shards.flat().sort((a, b) => a - b)).toEqual(many.map((_, index) => index));
    const tokens = shards.map((rows) => rows.reduce((sum, row) => sum + (many[row] as Trajectory).tokens.length, 0));
    expect(Math.max(...tokens) - Math.min(...tokens)).toBeLessThan(91);
    expect(cutIntoShards(many.slice(0, 2), 4).length).toBe(2);
  });
});

function someTrajectory(
  length: number,
  { shape, integer }: { readonly shape: Architecture; readonly integer: (below: number) => number },
): Trajectory {
  return {
    tokens: Int32Array.from({ length }, () => integer(shape.vocabularySize)),
    chosen: Uint8Array.from({ length }, (_, position) => (position > 0 && integer(3) > 0 ? 1 : 0)),
    logProbabilities: new Float32Array(length),
  };
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function largestIn(values: Float32Array): number {
  return values.reduce((best, value, index) => (Math.abs(value) > Math.abs(values[best] as number) ? index : best), 0);
}
