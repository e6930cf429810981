/** One row's figures, one a round, of two commits. */
export interface Samples {
  readonly base: readonly number[];
  readonly head: readonly number[];
}

export interface Difference {
  /** Head over base: the median of all quotients of a figure of one and a figure of the other (Hodges and Lehmann 1963, of logarithms). */
  readonly ratio: number;
  /**
   * How often figures that tell the commits apart no better than chance would be as far apart as these: exact, two-sided, of the
   * rank sum (Mann and Whitney 1947), ties sharing their ranks.
   */
  readonly probability: number;
}

export const verdicts = ["faster", "slower", "same"] as const;
export type Verdict = (typeof verdicts)[number];

export interface Judged extends Difference {
  readonly verdict: Verdict;
}

/** How a difference is told from noise. */
export interface Rule {
  /** Of any row being called different where none is; Holm's correction for the number of rows (Holm 1979). */
  readonly chance: number;
  /** What is smaller is called the same, however sure: 0.02 is 2 %. */
  readonly ratioLeast: number;
}

export const rule: Rule = { chance: 0.05, ratioLeast: 0.02 };

export function differenceOf({ base, head }: Samples): Difference {
  if (base.length === 0 || head.length === 0) throw new RangeError("differenceOf needs figures of both commits");
  const ratios = base.flatMap((from) => head.map((to) => to / from)).toSorted((one, other) => one - other);
  const middle = ratios.length / 2;
  const [low, high] = [ratios[Math.ceil(middle) - 1] as number, ratios[Math.floor(middle)] as number];
  return { ratio: Math.sqrt(low * high), probability: rankSumProbability({ base, head }) };
}

/** Judges rows together: the more there are, the surer each must be. */
export function judge(differences: readonly Difference[], { chance, ratioLeast }: Rule): readonly Judged[] {
  const order = differences.toSorted((one, other) => one.probability - other.probability);
  const firstUnsure = order.findIndex(({ probability }, index) => probability > chance / (order.length - index));
  const sure = new Set(firstUnsure < 0 ? order : order.slice(0, firstUnsure));
  return differences.map((difference) => {
    const isFar = Math.abs(difference.ratio - 1) >= ratioLeast;
    if (!sure.has(difference) || !isFar) return { ...difference, verdict: "same" };
    return { ...difference, verdict: difference.ratio > 1 ? "faster" : "slower" };
  });
}

/** The fewest rounds with which one of so many rows can differ at all. */
export function roundsNeeded(rowCount: number, { chance }: Rule): number {
  let rounds = 2;
  while ((2 / choose(2 * rounds, rounds)) * rowCount > chance) rounds++;
  return rounds;
}

function choose(from: number, count: number): number {
  let ways = 1;
  for (let index = 1; index <= count; index++) ways = (ways * (from - count + index)) / index;
  return ways;
}

/** The share of all ways to deal the ranks whose sum is as far from the expected one as that of `head`. */
function rankSumProbability({ base, head }: Samples): number {
  const ranks = doubledRanks([...head, ...base]);
  const total = sumOf(ranks);
  const expected = (total * head.length) / ranks.length;
  const distance = Math.abs(sumOf(ranks.slice(0, head.length)) - expected);
  const ways = waysBySum(ranks, head.length);
  const far = ways.reduce((sum, count, rankSum) => sum + (Math.abs(rankSum - expected) >= distance ? count : 0), 0);
  return far / sumOf(ways);
}

/** Twice the rank of each value, from 2, so that shared ranks are whole numbers too. */
function doubledRanks(values: readonly number[]): readonly number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return 2 * below + equal + 1;
  });
}

/** By sum, in how many ways so many of the ranks add up to it. */
function waysBySum(ranks: readonly number[], count: number): readonly number[] {
  const total = sumOf(ranks);
  const ways = Array.from({ length: count + 1 }, () => new Array<number>(total + 1).fill(0));
  (ways[0] as number[])[0] = 1;
  for (const rank of ranks) {
    for (let size = count; size >= 1; size--) {
      const [smaller, larger] = [ways[size - 1] as number[], ways[size] as number[]];
      for (let sum = total; sum >= rank; sum--) larger[sum] = (larger[sum] ?? 0) + (smaller[sum - rank] ?? 0);
    }
  }
  return ways[count] as number[];
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
