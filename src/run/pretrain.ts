import type { ResolvedConfig } from "../config/config-schema.ts";
import { FaradayError } from "../core/errors.ts";
import type { RunEvent } from "./events.ts";

export interface PretrainOptions {
  readonly config: ResolvedConfig;
  /** Folder for the checkpoint; `base-policy` beside the config where it is absent. */
  readonly out?: string;
  readonly verbose?: boolean;
  readonly signal: AbortSignal;
  readonly events: (event: RunEvent) => void;
}

/** What `pretrain --json` prints. */
export interface PretrainReport {
  /** The checkpoint's folder, absolute. */
  readonly checkpoint: string;
  readonly wallSeconds: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Clones the base policy from the demonstrations of the tasks. */
export async function pretrain(_options: PretrainOptions): Promise<PretrainReport> {
  throw new FaradayError("pretrain is not there yet");
}
