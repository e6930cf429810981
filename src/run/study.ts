import { existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { ResolvedConfig } from "../config/config-schema.ts";
import { InputError, messageOf } from "../core/errors.ts";
import { RunReport } from "../report/run-report.ts";
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
  /** Told of each run before it begins, and of each that is there already. */
  readonly tell: (text: string) => void;
}

export interface FinishedRun {
  readonly name: string;
  /** Absolute. */
  readonly directory: string;
  readonly report: RunReport;
}

/**
 * Trains one after the other, each with the whole machine. Runs that the folder holds whole are taken as they are; of one that was
 * stopped nothing is taken and nothing is removed: it is done again in a folder beside. Ends early once the signal is aborted, with the
 * runs that succeeded.
 * @throws {InputError} where the folder holds a run of the same name under another config.
 */
export async function runStudy(options: StudyOptions): Promise<readonly FinishedRun[]> {
  const { runs, out, signal, verbose, events, tell } = options;
  const places = runs.map((run) => ({ run, place: placeOf(run, resolve(out)) }));
  const finished: FinishedRun[] = [];
  for (const [index, { run, place }] of places.entries()) {
    if (signal.aborted) break;
    const { name, config } = run;
    const { directory, report } = place;
    tell(`${name} (${index + 1} of ${runs.length})${report === null ? "" : `: is in ${directory}`}`);
    const made = report ?? (await train({ config, out: directory, verbose, signal, events }));
    if (made.status === "succeeded") finished.push({ name, directory, report: made });
  }
  return finished;
}

interface Place {
  readonly directory: string;
  /** Of the run that is there, whole. */
  readonly report: RunReport | null;
}

/** The folder of a run that is whole, or the first that is free. */
function placeOf({ name, config }: StudyRun, out: string): Place {
  for (let count = 1; ; count++) {
    const directory = join(out, `${basename(out)}-${name}${count === 1 ? "" : `-${count}`}`);
    if (!existsSync(directory)) return { directory, report: null };
    const report = reportIn(directory);
    if (report?.status !== "succeeded") continue;
    requireSameConfig(directory, config);
    return { directory, report };
  }
}

function reportIn(directory: string): RunReport | null {
  const file = join(directory, "report.json");
  if (!existsSync(file)) return null;
  const parsed = RunReport.safeParse(readJson(file));
  return parsed.success ? parsed.data : null;
}

/** Figures of other settings would be averaged with these. */
function requireSameConfig(directory: string, config: ResolvedConfig): void {
  // What a run writes has been through JSON, where absent and undefined are one.
  if (isDeepStrictEqual(readJson(join(directory, "config.json")), JSON.parse(JSON.stringify(config)))) return;
  throw new InputError(`${directory} holds a run under another config; name another folder with --out`);
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new InputError(`${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
