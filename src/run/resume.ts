import { hash } from "node:crypto";
import type { AuditKey } from "../audit/audit-key.ts";
import type { ResolvedConfig } from "../config/config-schema.ts";
import type { DeadlineOptions } from "../config/fault-options.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import type { Task } from "../core/env.ts";
import type { Phase } from "../core/episode.ts";
import { FaradayError, InputError } from "../core/errors.ts";
import type { Checkpoint } from "../model/checkpoint.ts";
import { RunReport } from "../report/run-report.ts";
import type { LightningStore, StoredEpisode, StoredIteration, StoredRun } from "../store/lightning-store.ts";
import { openStore, storePlace } from "../store/open.ts";
import { advised, goOn } from "./advised.ts";
import { AuditTrail } from "./audit-trail.ts";
import { type RunDirectory, runFolder } from "./run-directory.ts";
import { type RunState, StateFolder } from "./run-state.ts";
import { type OpenRunStore, openRunStore } from "./store-thread.ts";
import { weightsDigest } from "./weights-digest.ts";
import { openWithinStoreDeadline, withinStoreDeadline } from "./within-deadline.ts";

/** What a run had done before it was stopped. */
export interface EarlierWork {
  /** In the order they were stored. */
  readonly iterations: readonly StoredIteration[];
  episodes(phase: Phase, iteration: number): Promise<readonly StoredEpisode[]>;
  /** Of the last training iteration that is stored; `null` where none is. */
  readonly state: RunState | null;
  /** How long it took, over all its processes. */
  readonly wallSeconds: number;
}

/** A run's store and audit log, opened to be gone on with. */
export interface ResumedRun {
  readonly store: LightningStore;
  readonly audit: AuditTrail;
  /** Of the recorders from here on. */
  readonly epoch: number;
  readonly earlier: EarlierWork;
}

/**
 * The report of a run that has nothing left to do; `null` where it was stopped.
 * @throws {InputError} where the folder is no run's, or the run had another config.
 */
export async function finishedReport(path: string, config: ResolvedConfig): Promise<RunReport | null> {
  const folder = runFolder(path);
  const { deadlines } = config;
  try {
    const opening = openStore(config.store, { baseDir: folder, mustExist: true });
    await using store = await openWithinStoreDeadline(opening, deadlines);
    const stored = await storedRun(store, folder, deadlines);
    checkConfig(stored, config);
    return stored.status === "succeeded" ? RunReport.parse(stored.report) : null;
  } catch (error) {
    throw advised(error, goOn(path));
  }
}

/**
 * Goes on with a stored run, after making sure that the weights, the base policy and the tasks are those that its signed log and
 * its last state name.
 * @throws {InputError | FaradayError} where they are not, or the state is lost; with what to do, where something can be done.
 */
export async function resumeRun(
  config: ResolvedConfig,
  { openStore = openRunStore, ...parts }: ResumeParts,
): Promise<ResumedRun> {
  const { path: baseDir } = parts.directory;
  const { deadlines } = config;
  try {
    const opening = openStore(config.store, { baseDir, mustExist: true, outageMs: deadlines.storeMs });
    const store = await openWithinStoreDeadline(opening, deadlines);
    return await takeUp(store, config, parts).catch(async (error: unknown) => {
      await store[Symbol.asyncDispose]();
      throw error;
    });
  } catch (error) {
    throw advised(error, goOn(baseDir));
  }
}

async function takeUp(
  store: LightningStore,
  config: ResolvedConfig,
  { directory, key, checkpoint, tasks }: Omit<ResumeParts, "openStore">,
): Promise<ResumedRun> {
  const { path: baseDir, run } = directory;
  const { deadlines } = config;
  const stored = await storedRun(store, baseDir, deadlines);
  checkConfig(stored, config);
  const iterations = await withinStoreDeadline(store.iterations(run), deadlines, "told what is done");
  const state = await lastState(store, directory, { iterations, tasks, deadlines });
  const { epoch } = await withinStoreDeadline(store.resumeRun(run), deadlines, "taken up the run again");
  try {
    const place = storePlace(config.store, { baseDir });
    const { trail, updates } = await AuditTrail.resume({ config, run, store, place, key }, epoch);
    checkWeights(updates, { base: checkpoint.weights, state });
    new StateFolder(baseDir).keep(state?.iteration ?? null);
    const earlier = {
      ...{ iterations, state, wallSeconds: Math.max(state?.wallSeconds ?? 0, secondsOf(stored)) },
      episodes: (phase: Phase, iteration: number) =>
        withinStoreDeadline(store.episodes(run, phase, iteration), deadlines, "told the episodes of a batch"),
    };
    return { store, audit: trail, epoch, earlier };
  } catch (error) {
    await leaveFailed(store, stored, deadlines);
    throw error;
  }
}

/** What kept the run from going on may keep this from being written, too. */
async function leaveFailed(
  store: LightningStore,
  { id, report }: StoredRun,
  deadlines: DeadlineOptions,
): Promise<void> {
  const failed = store.endRun({ id, status: "failed", report });
  await withinStoreDeadline(failed, deadlines, "taken the end of the run").catch(() => {});
}

export interface ResumeParts {
  readonly directory: RunDirectory;
  readonly key: AuditKey;
  /** The base policy. */
  readonly checkpoint: Checkpoint;
  /** {@link tasksDigest} of the environment's tasks. */
  readonly tasks: string;
  readonly openStore?: OpenRunStore;
}

/** SHA-256 over tasks in their order: 64 lower-case hexadecimal digits. */
export function tasksDigest(tasks: readonly Task[]): string {
  return hash("sha256", tasks.map((task) => `${canonicalJson(task)}\n`).join(""), "hex");
}

async function storedRun(store: LightningStore, folder: string, deadlines: DeadlineOptions): Promise<StoredRun> {
  const name = folder.split(/[\\/]/u).at(-1);
  const runs = await withinStoreDeadline(store.runs(), deadlines, "told its runs");
  const run = runs.find(({ id }) => id === name);
  if (run !== undefined) return run;
  throw new InputError(
    `the store of ${folder} must hold a run ${name}, got ${runs.map(({ id }) => id).join(", ") || "none"}; a run directory keeps its name, and a run that was killed before it began must be started anew`,
  );
}

/** What workers are, and how many, plays no part in what a run does. */
function checkConfig({ config: before, id }: StoredRun, config: ResolvedConfig): void {
  const now: unknown = JSON.parse(JSON.stringify(config));
  const changed = differences(before, now).filter((path) => path !== "workers" && path !== "isolation");
  if (changed.length === 0) return;
  throw new InputError(
    `run ${id} must go on with the config that it was begun with, save for workers and isolation; got another ${changed.join(", ")}`,
  );
}

/** Paths at which two JSON values differ. */
function differences(one: unknown, other: unknown, path = ""): string[] {
  if (canonicalJson(one) === canonicalJson(other)) return [];
  if (!isObject(one) || !isObject(other)) return [path];
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].flatMap((key) => differences(one[key], other[key], path === "" ? key : `${path}.${key}`));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

interface LastParts {
  readonly iterations: readonly StoredIteration[];
  readonly tasks: string;
  readonly deadlines: DeadlineOptions;
}

/** The store may be an iteration behind the newest state, where the run was killed between the two: then the one before it counts. */
async function lastState(
  store: LightningStore,
  { path, run }: RunDirectory,
  { iterations, tasks, deadlines }: LastParts,
): Promise<RunState | null> {
  const last = iterations.findLast(({ phase }) => phase === "train");
  if (last === undefined) return null;
  const state = new StateFolder(path).read(last.iteration);
  const signed = await withinStoreDeadline(store.checkpoints(run), deadlines, "told what was signed");
  const own = signed.findIndex(({ phase, iteration }) => phase === "train" && iteration === last.iteration);
  const { size, root } = signed[own - 1] ?? {};
  if (state.run !== run || state.iteration !== last.iteration || state.tree.size !== size || state.tree.root !== root) {
    throw new FaradayError(
      `the state after iteration ${last.iteration} of ${run} is that of ${state.run} ${state.iteration}, over another audit log; bring the right one back, or train anew`,
    );
  }
  if (state.tasks !== tasks)
    throw new InputError(`run ${run} must go on with the tasks that it was begun with; they have changed since`);
  return state;
}

function checkWeights(
  updates: ReadonlyMap<number, string>,
  { base, state }: { readonly base: Float32Array; readonly state: RunState | null },
): void {
  const begun = updates.get(0);
  if (begun !== undefined && begun !== weightsDigest(base)) {
    throw new InputError(`the base policy must be the one that the run was begun with (weights ${begun}), got another`);
  }
  if (state === null) return;
  const first = state.iteration - state.policies.length;
  [...state.policies, state.learner.weights].forEach((weights, index) => {
    const [logged, found] = [updates.get(first + index), weightsDigest(weights)];
    if (logged === found) return;
    throw new FaradayError(
      `the weights after iteration ${first + index} must be ${logged} as the audit log has them, got ${found}; bring the right state back, or train anew`,
    );
  });
}

function secondsOf({ report }: StoredRun): number {
  const seconds = isObject(report) ? report.wallSeconds : 0;
  return typeof seconds === "number" ? seconds : 0;
}
