import { messageOf } from "../../core/errors.ts";
import { KernelSpace, type KernelSpaceOptions } from "../../kernel/kernel-space.ts";
import type { RecordedEpisode } from "./recorded-episode.ts";
import type { OnFinding } from "./run-finding.ts";

/**
 * Compares the policies that judged the episodes with those of the run's config. Episodes that are measured without the kernel
 * were judged by none, all of them where the config trains without it, and no others were.
 */
export function checkPolicies(config: unknown, episodes: Iterable<RecordedEpisode>, onFinding: OnFinding): void {
  const hashes = policyHashes(config);
  if (typeof hashes === "string") {
    onFinding({ code: "config-changed", message: `the stored config: ${hashes}` });
    return;
  }
  const told = new Set<string>();
  for (const { id, worker, epoch, sequence, policies } of episodes) {
    const expected = !hashes.trainsGoverned || id.startsWith("ungoverned-") ? hashes.ungoverned : hashes.governed;
    if (policies === expected || told.has(policies)) continue;
    told.add(policies);
    onFinding({
      code: "policies-changed",
      message: `episode ${id} and perhaps others were judged by the policies ${policies}; the stored config has ${expected}: it was changed, or is read in another way than it was`,
      ...{ worker, epoch, sequence, episode: id },
    });
  }
}

interface ExpectedHashes {
  readonly governed: string;
  readonly ungoverned: string;
  readonly trainsGoverned: boolean;
}

function policyHashes(config: unknown): ExpectedHashes | string {
  try {
    const { kernel, train } = config as {
      readonly kernel: KernelSpaceOptions;
      readonly train?: { readonly governed?: boolean };
    };
    return {
      governed: new KernelSpace(kernel).policySetHash,
      ungoverned: new KernelSpace().policySetHash,
      trainsGoverned: train?.governed ?? true,
    };
  } catch (error) {
    return messageOf(error);
  }
}
