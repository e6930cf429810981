import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { splits, type Task } from "../../src/core/env.ts";
import { phases } from "../../src/core/episode.ts";
import { keyOf, keyOfAttempt, packKeys, unpackKeys } from "../../src/run/episode-keys.ts";

const uint = fc.integer({ min: 0, max: 0xffff_ffff });
const task = fc.record({ id: fc.string(), split: fc.constantFrom(...splits) });
const batch = fc.record({ phase: fc.constantFrom(...phases), iteration: fc.nat(), weights: fc.nat() });

const keys = fc
  .record({
    batch,
    attempt: fc.integer({ min: 1, max: 64 }),
    tasks: fc.array(task, { minLength: 1, maxLength: 3 }),
    places: fc.array(fc.record({ group: uint, index: uint, seed: uint, task: fc.nat() }), {
      minLength: 1,
      maxLength: 12,
    }),
  })
  .map(({ batch, attempt, tasks, places }) =>
    places.map(({ group, index, seed, task }) => {
      const key = keyOf(tasks[task % tasks.length] as Task, { ...batch, group, index }, seed);
      return attempt === 1 ? key : keyOfAttempt(key, attempt);
    }),
  );

describe("keys as columns", () => {
  test("come back as they were, from another thread and at any attempt", () => {
    fc.assert(
      fc.property(keys, (given) => {
        expect(unpackKeys(structuredClone(packKeys(given)))).toEqual(given);
      }),
    );
  });

  test("of no episode, or of more than one batch, are refused", () => {
    expect(() => packKeys([])).toThrow(RangeError);
    fc.assert(
      fc.property(keys, ([key]) => {
        if (key === undefined) return;
        expect(() => packKeys([key, { ...key, iteration: key.iteration + 1 }])).toThrow(RangeError);
        expect(() => packKeys([key, { ...key, weights: key.weights + 1 }])).toThrow(RangeError);
      }),
    );
  });
});
