/** What a soak has done so far. */
export class Tally {
  trainings = 0;
  episodes = 0;
  resumes = 0;
  /** Runs whose weights can be compared with those of an undisturbed run, and how many were the same. */
  comparable = 0;
  equal = 0;
  readonly #faults = new Map<string, number>();
  readonly problems: string[] = [];

  injected(kind: string, count = 1): void {
    this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + count);
  }

  get faults(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#faults].toSorted(([one], [other]) => one.localeCompare(other)));
  }

  /** Weights that must be the same. */
  compare(weights: Buffer, undisturbed: Buffer): void {
    this.comparable++;
    if (weights.equals(undisturbed)) this.equal++;
    else this.problems.push("other weights than those of an undisturbed run");
  }

  expect(holds: boolean, problem: string): void {
    if (!holds) this.problems.push(problem);
  }
}
