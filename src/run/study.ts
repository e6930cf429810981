import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { ResolvedConfig } from "../config/config-schema.ts";
import type { RunReport } from "../report/run-report.ts";
import type { RunEvent } from "./events.ts";
import { train } from "./train.ts";

/** One run of a study: a name that is unique in it, and what is trained. */
export interface StudyRun {
  readonly name: string;
  readonly config: ResolvedConfig;
}

export interface StudyOptions {
  readonly runs: readonly StudyRun[];
  /** Folder of the study; each run has its own in it, `<study>-<name>`. */
  readonly out: string;
  readonly signal: AbortSignal;
  readonly verbose: boolean;
  readonly events: (event: RunEvent) => void;
  /** Told of each run before it begins or goes on. */
  readonly tell: (text: string) => void;
}

export interface FinishedRun {
  readonly name: string;
  /** Absolute. */
  readonly directory: string;
  readonly report: RunReport;
}

/**
 * Trains one after the other, each with the whole machine. A run that the folder holds already is taken as it is, or gone on with where
 * it was stopped. Ends early once the signal is aborted, with the runs that succeeded.
 * @throws {InputError} where the folder holds a run of the same name under another config.
 */
export async function runStudy(options: StudyOptions): Promise<readonly FinishedRun[]> {
  const { runs, signal, verbose, events, tell } = options;
  const out = resolve(options.out);
  const finished: FinishedRun[] = [];
  for (const [index, { name, config }] of runs.entries()) {
    if (signal.aborted) break;
    const directory = join(out, `${basename(out)}-${name}`);
    const present = existsSync(directory);
    tell(`${name}, ${index + 1} of ${runs.length}${present ? `, is in ${directory}` : ""}`);
    const place = present ? { resume: directory } : { out: directory };
    const report = await train({ config, ...place, verbose, signal, events });
    if (report.status === "succeeded") finished.push({ name, directory, report });
  }
  return finished;
}
