import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { differenceOf, judge, roundsNeeded, rule } from "../../../bench/compare/difference.ts";

describe("the difference of two commits", () => {
  it.each([
    // Exact two-sided probabilities of the rank sum: 2 / C(n + m, n) where all of one side lie above the other.
    { base: [1, 2, 3], head: [4, 5, 6], probability: 2 / 20 },
    { base: [1, 2, 3, 4], head: [5, 6, 7, 8], probability: 2 / 70 },
    { base: [1, 2, 3, 4, 5, 6], head: [7, 8, 9, 10, 11, 12], probability: 2 / 924 },
    { base: [1, 2, 4], head: [3, 5, 6], probability: 4 / 20 },
    { base: [1, 4], head: [2, 3], probability: 1 },
    // All tied: every deal of the ranks is as far.
    { base: [5, 5, 5], head: [5, 5, 5], probability: 1 },
    // Ties share a rank: of the six deals of 1, 2.5, 2.5, 4 two are as far apart as this one and one is as far below.
    { base: [1, 2], head: [2, 4], probability: 4 / 6 },
  ])("of $base and $head is as likely as counting says", ({ base, head, probability }) => {
    expect(differenceOf({ base, head }).probability).toBeCloseTo(probability, 12);
  });

  it("is the median quotient, whatever one odd round says", () => {
    expect(differenceOf({ base: [100, 100, 100], head: [120, 120, 1] }).ratio).toBeCloseTo(1.2);
    expect(differenceOf({ base: [100, 200], head: [100, 200] }).ratio).toBeCloseTo(1);
  });

  const figures = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });

  it("turns over with the commits, and has a probability, also where rounds are tied", () => {
    fc.assert(
      fc.property(figures, figures, (base, head) => {
        const there = differenceOf({ base, head });
        const back = differenceOf({ base: head, head: base });
        expect(there.ratio * back.ratio).toBeCloseTo(1, 9);
        expect(there.probability).toBeCloseTo(back.probability, 9);
        expect(there.probability).toBeGreaterThan(0);
        expect(there.probability).toBeLessThanOrEqual(1);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("equals what dealing the figures out in every way gives", () => {
    const small = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(small, small, (base, head) => {
        expect(differenceOf({ base, head }).probability).toBeCloseTo(dealtProbability(base, head), 9);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

/** The same by brute force: the share of deals whose wins of head over base are as far from half. */
function dealtProbability(base: readonly number[], head: readonly number[]): number {
  const all = [...head, ...base];
  const winsOf = (isHead: (index: number) => boolean) =>
    all.reduce(
      (wins, one, index) =>
        wins +
        all.reduce((sum, other, place) => {
          if (!isHead(index) || isHead(place)) return sum;
          return sum + (one > other ? 1 : one === other ? 0.5 : 0);
        }, 0),
      0,
    );
  const half = (base.length * head.length) / 2;
  const distance = Math.abs(winsOf((index) => index < head.length) - half);
  let [far, deals] = [0, 0];
  for (let deal = 0; deal < 2 ** all.length; deal++) {
    const isHead = (index: number) => ((deal >> index) & 1) === 1;
    if (all.filter((_, index) => isHead(index)).length !== head.length) continue;
    deals++;
    if (Math.abs(winsOf(isHead) - half) >= distance) far++;
  }
  return far / deals;
}

describe("the verdict", () => {
  const verdicts = (differences: Parameters<typeof judge>[0]) => judge(differences, rule).map(({ verdict }) => verdict);

  it("is surer the more rows there are, and takes back none before the first that is unsure", () => {
    expect(verdicts([{ ratio: 0.8, probability: 0.04 }])).toEqual(["slower"]);
    expect(verdicts([0.04, 0.04].map((probability) => ({ ratio: 0.8, probability })))).toEqual(["same", "same"]);
    expect(verdicts([0.3, 0.001, 0.02].map((probability) => ({ ratio: 1.2, probability })))).toEqual([
      ...["same", "faster", "faster"],
    ]);
    expect(verdicts([0.03, 0.001, 0.03].map((probability) => ({ ratio: 1.2, probability })))).toEqual([
      ...["same", "faster", "same"],
    ]);
  });

  it("calls what is smaller than matters the same", () => {
    expect(verdicts([{ ratio: 1.019, probability: 0 }])).toEqual(["same"]);
    expect(verdicts([{ ratio: 0.979, probability: 0 }])).toEqual(["slower"]);
  });

  it("needs so many rounds that the surest row could be sure", () => {
    expect([1, 3, 4, 10, 23, 24].map((rows) => roundsNeeded(rows, rule))).toEqual([4, 5, 5, 6, 6, 7]);
    for (const rows of [1, 5, 20]) {
      const rounds = Array.from({ length: roundsNeeded(rows, rule) }, (_, index) => index + 1);
      const apart = differenceOf({ base: rounds.map((value) => value + 100), head: rounds });
      const others = Array.from({ length: rows - 1 }, () => ({ ratio: 1, probability: 1 }));
      expect(verdicts([apart, ...others])[0]).toBe("slower");
    }
  });
});
