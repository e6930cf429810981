import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Checkpoint } from "../../audit/checkpoint.ts";
import { canonicalJson } from "../../core/canonical-json.ts";
import type { Phase } from "../../core/episode.ts";
import { messageOf } from "../../core/errors.ts";
import type { Measure } from "../../report/measure.ts";
import type { StoredIteration, StoredRun } from "../../store/lightning-store.ts";
import type { OnFinding } from "./run-finding.ts";

/** What the stored episodes and batches give, to compare a report with. */
export interface ReportFigures {
  /** Of every phase that is stored. */
  readonly measures: ReadonlyMap<Phase, Measure>;
  readonly iterations: readonly StoredIteration[];
  readonly quarantinedEpisodes: number;
  /** The last tree that was signed. */
  readonly tree: Checkpoint | null;
}

/**
 * Compares the report of a run, in the store and in the run directory, with what its episodes give. A run that has not ended
 * has none.
 */
export function checkReport(
  { run, directory }: { readonly run: StoredRun; readonly directory: string | null },
  figures: ReportFigures,
  onFinding: OnFinding,
): void {
  const tell = (source: string) => (message: string) =>
    onFinding({ code: "report-changed", message: `${source}: ${message}` });
  if (run.report !== null) compare(run.report, figures, tell("the report in the store"));
  else if (run.status !== "running") tell("the report in the store")(`the run has ${run.status}, and there is none`);
  if (directory === null) return;
  checkFile(directory, "report.json", figures, tell("report.json"));
  checkConfigFile(directory, run, onFinding);
}

function checkFile(directory: string, name: string, figures: ReportFigures, tell: (message: string) => void): void {
  const report = readJson(join(directory, name));
  if (report === undefined) return;
  if (report instanceof Error) tell(`cannot be read: ${report.message}`);
  else compare(report, figures, tell);
}

/** The config is in the store and in the directory: one of the two would have to be forgotten. */
function checkConfigFile(directory: string, run: StoredRun, onFinding: OnFinding): void {
  const config = readJson(join(directory, "config.json"));
  if (config === undefined || canonicalJson(config) === canonicalJson(run.config)) return;
  onFinding({ code: "config-changed", message: "config.json: is not the config that the store has of the run" });
}

/**
 * What a report says must follow from the store. One of a run that has not succeeded may lack what was stored later: the run may have gone on since,
 * or have failed before it was told of its last batch.
 */
function compare(report: unknown, figures: ReportFigures, tell: (message: string) => void): void {
  const given = asObject(report);
  const mayLack = given.status !== "succeeded";
  for (const phase of ["ungoverned", "before", "after"] as const) {
    const measure = figures.measures.get(phase) ?? null;
    const told = given[phase] ?? null;
    if (canonicalJson(told) === canonicalJson(measure) || (mayLack && told === null)) continue;
    tell(`${phase} is ${canonicalJson(told)}, the stored episodes give ${canonicalJson(measure)}`);
  }
  const trained = figures.iterations.filter(({ phase }) => phase === "train");
  const episodes = trained.reduce((sum, iteration) => sum + iteration.episodes, 0);
  for (const [name, expected] of [
    ["iterations", trained.length],
    ["episodes", episodes],
    ["quarantinedEpisodes", figures.quarantinedEpisodes],
  ] as const) {
    if (given[name] === expected || (mayLack && isBelow(given[name], expected))) continue;
    tell(`${name} is ${JSON.stringify(given[name])}, the store gives ${expected}`);
  }
  const { tree } = figures;
  const isEarlier = mayLack && isBelow(asObject(given.audit).size, tree?.size ?? 0);
  if (tree !== null && !isEarlier && canonicalJson(given.audit) !== canonicalJson(tree)) {
    tell(`audit is ${canonicalJson(given.audit)}, signed last was ${canonicalJson(tree)}`);
  }
  compareCurve(given.curve, { trained, mayLack }, tell);
}

function isBelow(figure: unknown, bound: number): boolean {
  return typeof figure === "number" && figure < bound;
}

function compareCurve(
  curve: unknown,
  { trained, mayLack }: { readonly trained: readonly StoredIteration[]; readonly mayLack: boolean },
  tell: (message: string) => void,
): void {
  const points = Array.isArray(curve) ? curve.map(asObject) : [];
  for (const { iteration, metrics } of trained) {
    const point = points.find((each) => each.iteration === iteration);
    if (point === undefined && mayLack) continue;
    const shown = asObject(point?.metrics);
    const changed = Object.entries(metrics).find(([name, value]) => shown[name] !== value);
    if (changed === undefined) continue;
    const [name, value] = changed;
    tell(`metric ${name} of iteration ${iteration} is ${JSON.stringify(shown[name])}, the store has ${value}`);
  }
}

/** `undefined` where there is no file. */
function readJson(file: string): unknown {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    return new Error(messageOf(error));
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
