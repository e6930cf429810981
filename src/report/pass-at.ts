import { type MeanInterval, meanInterval } from "./mean-interval.ts";

/**
 * Chance that at least one of k tries does the task, estimated from n tries of which c did: 1 − C(n − c, k) / C(n, k), without bias
 * (Chen et al. 2021, "Evaluating Large Language Models Trained on Code", equation 1). As a product, since binomials overflow.
 */
export function passAtOf({ tries, passed, k }: { tries: number; passed: number; k: number }): number {
  if (!(k >= 1 && k <= tries && passed >= 0 && passed <= tries)) {
    throw new RangeError(`pass@k needs 1 <= k <= tries and 0 <= passed <= tries, got k ${k}, ${passed} of ${tries}`);
  }
  if (tries - passed < k) return 1;
  let allFail = 1;
  for (let count = tries - passed + 1; count <= tries; count++) allFail *= 1 - k / count;
  return 1 - allFail;
}

/** pass@k over tasks. */
export interface PassAt extends MeanInterval {
  readonly k: number;
}

/**
 * pass@1 to pass@`samples`: the mean over tasks, with the t interval over tasks, since tries of one task are not independent.
 * @param episodes Each task must have `samples` of them at least.
 */
export function passAtEach(
  episodes: readonly { readonly key: { readonly task: string }; readonly success: boolean }[],
  samples: number,
): readonly PassAt[] {
  const tasks = [...Map.groupBy(episodes, ({ key }) => key.task).values()].map((tries) => ({
    tries: tries.length,
    passed: tries.filter(({ success }) => success).length,
  }));
  return Array.from({ length: samples }, (_, index) => index + 1).map((k) => ({
    k,
    ...meanInterval(tasks.map((task) => passAtOf({ ...task, k }))),
  }));
}
