import type { ResolvedConfig } from "../config/config-schema.ts";
import { FaradayError } from "../core/errors.ts";
import type { RunReport } from "../report/run-report.ts";
import type { RunEvent } from "./events.ts";

export interface TrainRunOptions {
  readonly config: ResolvedConfig;
  /** Run directory; `runs/<time>-seed<N>` where it is absent. */
  readonly out?: string;
  /** Logs go to stderr too. */
  readonly verbose?: boolean;
  /** Once aborted, the batch in hand is finished and the report says `cancelled`. */
  readonly signal: AbortSignal;
  readonly events: (event: RunEvent) => void;
}

/** Evaluates, trains and evaluates again, with everything on disk in the run directory. */
export async function train(_options: TrainRunOptions): Promise<RunReport> {
  throw new FaradayError("train is not there yet");
}
