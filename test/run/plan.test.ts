import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Split, Task } from "../../src/core/env.ts";
import type { EpisodeKey } from "../../src/core/episode.ts";
import { InputError } from "../../src/core/errors.ts";
import { type BatchPlan, Planner, type PlanOptions } from "../../src/run/plan.ts";

const options = fc.record({
  seed: fc.integer({ min: 0, max: 0xffff_ffff }),
  groupSize: fc.integer({ min: 2, max: 5 }),
  groupsPerBatch: fc.integer({ min: 1, max: 9 }),
  groupsPerTask: fc.integer({ min: 1, max: 4 }),
  temperature: fc.constant(1),
  evalTemperature: fc.constant(1),
});

function tasksOf(split: Split, count: number): Task[] {
  return Array.from({ length: count }, (_, index) => ({ id: `${split}-${index}`, prompt: `${index}`, split }));
}

function keysOf({ tasks }: BatchPlan): readonly EpisodeKey[] {
  return tasks.flatMap((task) => task.keys);
}

function plannerOf(given: PlanOptions, counts: { readonly train: number; readonly test: number }): Planner {
  return new Planner([...tasksOf("train", counts.train), ...tasksOf("test", counts.test)], given);
}

describe("Planner", () => {
  test("every training task comes once before any comes again, in another order each time", () => {
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 20 }), (given, taskCount) => {
        const planner = plannerOf(given, { train: taskCount, test: 1 });
        const iterations = Math.ceil((3 * taskCount) / given.groupsPerBatch);
        const groups = Array.from({ length: iterations }, (_, index) =>
          keysOf(planner.training(index + 1)).filter((key) => key.index === 0),
        ).flat();
        for (let epoch = 0; epoch < 3; epoch++) {
          const order = groups.slice(epoch * taskCount, (epoch + 1) * taskCount).map((key) => key.task);
          expect(new Set(order).size).toBe(taskCount);
        }
      }),
    );
    const planner = plannerOf(
      { seed: 1, groupSize: 2, groupsPerBatch: 40, groupsPerTask: 1, temperature: 1, evalTemperature: 1 },
      { train: 40, test: 1 },
    );
    const orders = [1, 2].map((iteration) => keysOf(planner.training(iteration)).map((key) => key.task));
    expect(orders[0]).not.toEqual(orders[1]);
  });

  test("a group is one task's episodes, whole in one task for the workers, under the newest weights", () => {
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 6 }), (given, iteration) => {
        const plan = plannerOf(given, { train: 7, test: 1 }).training(iteration);
        expect(keysOf(plan)).toHaveLength(given.groupsPerBatch * given.groupSize);
        for (const { keys } of plan.tasks) {
          expect(keys.length % given.groupSize).toBe(0);
          expect(keys.length).toBeLessThanOrEqual(given.groupsPerTask * given.groupSize);
        }
        keysOf(plan).forEach((key, place) => {
          expect(key.group).toBe(Math.floor(place / given.groupSize));
          expect(key.index).toBe(place % given.groupSize);
          expect({ iteration: key.iteration, weights: key.weights }).toEqual({ iteration, weights: iteration - 1 });
          expect(key.task).toBe(keysOf(plan)[place - key.index]?.task);
        });
      }),
    );
  });

  test("evaluations draw the same tasks and seeds with and without the kernel, before and after", () => {
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 30 }), (given, episodes) => {
        const planner = plannerOf(given, { train: 1, test: 11 });
        const draws = (
          [
            ["ungoverned", 0, false],
            ["before", 0, true],
            ["after", 9, true],
          ] as const
        ).map(([phase, weights, governed]) => {
          const plan = planner.evaluation(phase, { split: "test", episodes, weights, governed });
          expect(plan.tasks.every((task) => task.governed === governed)).toBe(true);
          return keysOf(plan).map(({ task, seed, split }) => ({ task, seed, split }));
        });
        expect(draws[0]).toHaveLength(episodes);
        expect(draws[1]).toEqual(draws[0]);
        expect(draws[2]).toEqual(draws[0]);
      }),
    );
  });

  test("train.oracle: false leaves the oracle out of training, never out of a measurement", () => {
    const given = { seed: 3, groupSize: 2, groupsPerBatch: 4, groupsPerTask: 1, temperature: 1, evalTemperature: 1 };
    for (const oracle of [true, false]) {
      const planner = plannerOf({ ...given, oracle }, { train: 8, test: 8 });
      const measured = planner.evaluation("before", { split: "test", episodes: 4, weights: 0, governed: true });
      expect(planner.training(1).tasks.map((task) => task.oracle)).toEqual([oracle, oracle, oracle, oracle]);
      expect(measured.tasks.every((task) => task.oracle)).toBe(true);
    }
  });

  test("ids and seeds are unique in a run", () => {
    const given = { seed: 3, groupSize: 8, groupsPerBatch: 32, groupsPerTask: 4, temperature: 1, evalTemperature: 1 };
    const planner = plannerOf(given, { train: 50, test: 50 });
    const evaluation = { split: "test", episodes: 200, governed: true } as const;
    const keys = [
      ...[1, 2, 3, 4, 5].flatMap((iteration) => keysOf(planner.training(iteration))),
      ...keysOf(planner.evaluation("before", { ...evaluation, weights: 0 })),
      ...keysOf(planner.evaluation("after", { ...evaluation, weights: 5 })),
    ];
    expect(new Set(keys.map((key) => key.id)).size).toBe(keys.length);
    const training = keys.filter((key) => key.phase === "train");
    expect(new Set(training.map((key) => key.seed)).size).toBe(training.length);
  });

  test("another seed gives another order and other chances", () => {
    const given = { groupSize: 2, groupsPerBatch: 20, groupsPerTask: 2, temperature: 1, evalTemperature: 1 };
    const [one, other] = [1, 2].map((seed) =>
      keysOf(plannerOf({ ...given, seed }, { train: 20, test: 1 }).training(1)),
    );
    expect(one?.map((key) => key.task)).not.toEqual(other?.map((key) => key.task));
    expect(one?.map((key) => key.seed)).not.toEqual(other?.map((key) => key.seed));
  });

  test("a split without tasks is an input error that names it", () => {
    const planner = new Planner(tasksOf("train", 3), {
      ...{ seed: 1, groupSize: 2, groupsPerBatch: 2, groupsPerTask: 1, temperature: 1, evalTemperature: 1 },
    });
    expect(() => planner.tasksOf("test")).toThrow(InputError);
    expect(() => planner.tasksOf("test")).toThrow(/tasks in the split test, got none among 3/);
  });
});
