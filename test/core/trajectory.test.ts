import fc from "fast-check";
import { expect, test } from "vitest";
import { chosenCount, packTrajectories, type Trajectory, trajectoryAt } from "../../src/core/trajectory.ts";

const trajectory: fc.Arbitrary<Trajectory> = fc.nat({ max: 12 }).chain((length) =>
  fc.record({
    tokens: fc.int32Array({ minLength: length, maxLength: length, min: 0 }),
    chosen: fc.uint8Array({ minLength: length, maxLength: length, max: 1 }),
    logProbabilities: fc.float32Array({ minLength: length, maxLength: length, max: 0 }),
  }),
);

test("trajectories come back from their columns as they were, even from another thread", () => {
  fc.assert(
    fc.property(fc.array(trajectory, { maxLength: 6 }), (trajectories) => {
      const columns = structuredClone(packTrajectories(trajectories));
      expect(columns.offsets).toHaveLength(trajectories.length + 1);
      trajectories.forEach((one, index) => {
        const { tokens, chosen, logProbabilities } = trajectoryAt(columns, index);
        expect([tokens, chosen, logProbabilities]).toEqual([one.tokens, one.chosen, one.logProbabilities]);
      });
    }),
  );
});

test("a trajectory is a view: nothing is copied", () => {
  const one = { tokens: Int32Array.of(1, 2), chosen: Uint8Array.of(0, 1), logProbabilities: Float32Array.of(0, -1) };
  const columns = packTrajectories([one, one]);
  expect(trajectoryAt(columns, 1).tokens.buffer).toBe(columns.tokens.buffer);
  expect(chosenCount(trajectoryAt(columns, 1))).toBe(1);
});
