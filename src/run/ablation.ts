import type { ResolvedConfig } from "../config/config-schema.ts";

/**
 * What is compared, by the settings that make it. `none` trains and is measured without the kernel, so that its reward is the task's
 * alone; `scalar` learns from the one PolicyReward of the specification; `separate` from reward and cost apart.
 */
export const arms = {
  none: {
    "train.governed": false,
    "train.costMultiplier": 0,
    "train.constraint": undefined,
    "reward.channels": "separate",
  },
  scalar: { "train.governed": true, "train.constraint": undefined, "reward.channels": "scalar" },
  separate: { "train.governed": true, "reward.channels": "separate" },
} as const;
export type Arm = keyof typeof arms;
export const armNames = Object.keys(arms) as readonly Arm[];

/** An arm with one seed. */
export interface ArmRun {
  readonly name: string;
  readonly arm: Arm;
  readonly config: ResolvedConfig;
}

/**
 * All arms with all seeds, the first seed of each arm first: a study that is stopped has compared what it has.
 * @param configOf The config with these values, by dotted path, over it.
 */
export async function armRuns(
  seeds: readonly number[],
  configOf: (values: Readonly<Record<string, unknown>>) => Promise<ResolvedConfig>,
): Promise<readonly ArmRun[]> {
  const runs = seeds.flatMap((seed) => armNames.map((arm) => ({ seed, arm })));
  return Promise.all(
    runs.map(async ({ seed, arm }) => ({
      ...{ arm, name: `${arm}-seed${seed}` },
      config: await configOf({ ...arms[arm], "train.seed": seed }),
    })),
  );
}
