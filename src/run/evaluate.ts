import type { ResolvedConfig } from "../config/config-schema.ts";
import type { Split } from "../core/env.ts";
import { FaradayError } from "../core/errors.ts";
import type { Measure } from "../report/measure.ts";
import type { RunEvent } from "./events.ts";

export interface EvaluateOptions {
  /** `model.checkpoint` names the weights that are measured. */
  readonly config: ResolvedConfig;
  readonly split: Split;
  /** `train.evalEpisodes` where it is absent. */
  readonly episodes?: number;
  /** Whether the kernel governs; without it, the oracle alone watches. */
  readonly kernel: boolean;
  readonly verbose?: boolean;
  readonly signal: AbortSignal;
  readonly events: (event: RunEvent) => void;
}

/** Measures a policy without training it; nothing is stored. */
export async function evaluate(_options: EvaluateOptions): Promise<Measure> {
  throw new FaradayError("eval is not there yet");
}
