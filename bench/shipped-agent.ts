import type { ResolvedConfig } from "../src/config/config-schema.ts";
import { loadConfig } from "../src/config/load-config.ts";
import type { Environment } from "../src/core/env.ts";
import type { EpisodeKey } from "../src/core/episode.ts";
import { KernelSpace } from "../src/kernel/kernel-space.ts";
import type { PolicySpec } from "../src/kernel/policies/policy-spec.ts";
import type { Checkpoint } from "../src/model/checkpoint.ts";
import { openPolicyModel } from "../src/run/policy-model.ts";

/** The SQL agent that `faraday train` starts from. */
export interface ShippedAgent {
  readonly config: ResolvedConfig;
  readonly environment: Environment;
  readonly checkpoint: Checkpoint;
}

export async function shippedAgent(): Promise<ShippedAgent> {
  const { config, environment: chosen } = await loadConfig();
  const environment = await chosen.definition.load(chosen.options, { baseDir: config.baseDir });
  return { config, environment, checkpoint: openPolicyModel(config, environment) };
}

/** Its kernel, booted; with a budget that one session can be measured under for long. */
export async function shippedKernel({ config, environment }: ShippedAgent): Promise<KernelSpace> {
  const budget: PolicySpec = { type: "budget", syscalls: Number.MAX_SAFE_INTEGER, severity: "medium" };
  const policies = config.kernel.policies.map((policy) => (policy.type === "budget" ? budget : policy));
  const kernel = new KernelSpace({ ...config.kernel, policies });
  await kernel.boot({ driverDefaults: environment.driverDefaults ?? {} });
  return kernel;
}

export function episodeKey(index: number, task = "none"): EpisodeKey {
  const place = { phase: "train", iteration: 0, group: 0, index, weights: 0 } as const;
  return { id: `train-0-0-${index}`, ...place, task, split: "train", seed: index };
}
