import { expect, it } from "vitest";
import { passAtEach, passAtOf } from "../../src/report/pass-at.ts";

/** By its definition: the share of all choices of k tries that hold one that passed. */
function byChoosing({ tries, passed, k }: { tries: number; passed: number; k: number }): number {
  const choices = Array.from({ length: 2 ** tries }, (_, bits) => bits).filter(
    (bits) => bits.toString(2).replaceAll("0", "").length === k,
  );
  return choices.filter((bits) => (bits & (2 ** passed - 1)) !== 0).length / choices.length;
}

it("pass@k is the share of choices of k tries that hold one that passed", () => {
  for (let tries = 1; tries <= 8; tries++)
    for (let passed = 0; passed <= tries; passed++)
      for (let k = 1; k <= tries; k++)
        expect(passAtOf({ tries, passed, k })).toBeCloseTo(byChoosing({ tries, passed, k }), 12);
});

it("pass@k of many tries stays finite", () => {
  expect(passAtOf({ tries: 1000, passed: 1, k: 500 })).toBeCloseTo(0.5, 12);
});

it("pass@k is refused where it is not defined", () => {
  expect(() => passAtOf({ tries: 2, passed: 1, k: 3 })).toThrow(/k 3, 1 of 2/);
});

it("tasks weigh the same, however often they were tried", () => {
  const tries = (task: string, results: readonly boolean[]) => results.map((success) => ({ key: { task }, success }));
  const episodes = [...tries("a", [true, true, true, true]), ...tries("b", [false, true])];
  const [first, second] = passAtEach(episodes, 2);
  expect(first).toMatchObject({ k: 1, mean: 0.75 });
  expect(second).toMatchObject({ k: 2, mean: 1 });
});
