import { type AuditKey, loadAuditKey } from "../audit/audit-key.ts";
import type { ResolvedConfig } from "../config/config-schema.ts";
import type { AgentSignal } from "../core/audit.ts";
import { FaradayError, InputError, messageOf } from "../core/errors.ts";
import { adviceOn } from "../core/fault.ts";
import { renderHtml } from "../report/html.ts";
import type { RunReport } from "../report/run-report.ts";
import type { LightningStore } from "../store/lightning-store.ts";
import { storePlace } from "../store/open.ts";
import { openTelemetry } from "../telemetry/open.ts";
import type { RunTelemetry } from "../telemetry/run-telemetry.ts";
import { AuditTrail } from "./audit-trail.ts";
import type { FaultEvent, RunEvent } from "./events.ts";
import { loadEnvironment } from "./load-environment.ts";
import { type Logger, openLog } from "./log.ts";
import { Planner } from "./plan.ts";
import { openPolicyModel } from "./policy-model.ts";
import { finishedReport, type ResumedRun, resumeRun, tasksDigest } from "./resume.ts";
import { RolloutPool, workerCountOf } from "./rollout-pool.ts";
import { defaultRunDirectory, RunDirectory } from "./run-directory.ts";
import { StateFolder } from "./run-state.ts";
import { SignalInbox, signalFile } from "./signal-inbox.ts";
import { StatusWriter } from "./status-writer.ts";
import { openRunStore } from "./store-thread.ts";
import { TrainingRun } from "./training-run.ts";
import { tryKernel } from "./try-kernel.ts";

export interface TrainRunOptions {
  readonly config: ResolvedConfig;
  /** Run directory; `runs/<time>-seed<N>` where it is absent. */
  readonly out?: string;
  /** Directory of a run that was stopped, to go on with; in place of `out`. */
  readonly resume?: string;
  /** Logs go to stderr too. */
  readonly verbose?: boolean;
  /** Once aborted, the batch in hand is finished and the report says `cancelled`. */
  readonly signal?: AbortSignal;
  readonly events?: (event: RunEvent) => void;
  /** Given, once episodes can be sent signals, what sends them. */
  readonly control?: (control: RunControl) => void;
}

/** What can be done to a run that goes on. */
export interface RunControl {
  /** @throws {FaradayError} when the run takes no more signals. */
  signal(episode: string, signal: AgentSignal): void;
}

/**
 * Evaluates, trains and evaluates again, with everything on disk in the run directory. A resumed run does what is left of that,
 * and ends as it would have without the stop; of a finished one, nothing is left.
 * @throws {InputError} before anything is written, where an input is wrong.
 */
export async function train(options: TrainRunOptions): Promise<RunReport> {
  const { config, out, resume, verbose = false, signal, events } = options;
  if (resume !== undefined) {
    if (out !== undefined) throw new InputError("a run goes on in its own directory: give --resume or --out, not both");
    const finished = await finishedReport(resume, config);
    if (finished !== null) return finished;
  }
  if (config.agent !== undefined) {
    throw new InputError(
      "agent must be absent to train: only the policy model learns; measure an agent with faraday eval",
    );
  }
  const environment = await loadEnvironment(config);
  const checkpoint = openPolicyModel(config, environment);
  const planner = new Planner(environment.tasks, config.train);
  planner.tasksOf("train");
  planner.tasksOf("test");
  await tryKernel(config, environment);
  const key = loadAuditKey(config.audit.key === undefined ? {} : { path: config.audit.key });
  using directory =
    resume === undefined
      ? RunDirectory.create(out ?? defaultRunDirectory(config.train.seed))
      : RunDirectory.resume(resume);
  const tasks = tasksDigest(environment.tasks);
  const {
    store: opened,
    audit,
    epoch,
    earlier,
  } = resume === undefined
    ? await beginRun(config, directory, key)
    : await resumeRun(config, { directory, key, checkpoint, tasks });
  await using store = opened;
  using log = openLog(directory.file("run.log"), { verbose });
  let status: StatusWriter | undefined;
  const emit = (event: RunEvent) => {
    directory.appendEvent(event);
    status?.take(event);
    log.info(event.type === "run-end" ? { type: event.type } : event);
    events?.(event);
  };
  if (earlier !== null) directory.remove("report.json");
  const onFault = (event: FaultEvent) => {
    log.warn(event, "a worker failed");
    emit(event);
  };
  const warn = (message: string) => {
    log.warn(message);
    emit({ type: "telemetry-warning", message });
  };
  await using telemetry = await openTelemetry({ run: directory.run, workflow: "faraday.train" }, { warn });
  await using pool = new RolloutPool(config, checkpoint, onFault, { epoch, timed: telemetry !== null });
  using written = new StatusWriter(directory, pool);
  status = written;
  const control: RunControl = {
    signal(episode, name) {
      pool.signal(episode, name);
      emit({ type: "signal", episode, signal: name });
    },
  };
  const rejected = (reason: string) => log.warn({ reason }, "a signal was passed over");
  using _inbox = new SignalInbox(
    directory.file(signalFile),
    { signal: control.signal, rejected },
    { from: earlier === null ? "start" : "end" },
  );
  options.control?.(control);
  const { iterations } = config.train;
  const begun = { run: directory.run, dir: directory.path, workers: workerCountOf(config), iterations };
  emit(
    earlier === null
      ? { type: "run-start", ...begun }
      : { type: "run-resume", ...begun, iteration: earlier.state?.iteration ?? 0 },
  );
  const run = new TrainingRun({
    config,
    planner,
    checkpoint,
    pool,
    audit,
    directory,
    tasks,
    earlier,
    signal: signal ?? new AbortController().signal,
    emit,
    telemetry,
  });
  return await finish(run, { directory, store, log, emit, telemetry });
}

/** Opens the store with the run in it, and its audit log. The directory is as it was before where that cannot be done. */
async function beginRun(
  config: ResolvedConfig,
  directory: RunDirectory,
  key: AuditKey,
): Promise<Omit<ResumedRun, "earlier"> & { readonly earlier: null }> {
  const baseDir = directory.path;
  let store: LightningStore | undefined;
  try {
    store = await openRunStore(config.store, { baseDir, outageMs: config.deadlines.storeMs });
    await store.beginRun({ id: directory.run, config });
    directory.writeJson("config.json", config);
    const place = storePlace(config.store, { baseDir });
    const audit = AuditTrail.begin({ config, run: directory.run, store, place, key });
    return { store, audit, epoch: 0, earlier: null };
  } catch (error) {
    await store?.[Symbol.asyncDispose]();
    directory.discard();
    throw error;
  }
}

interface RunParts {
  readonly directory: RunDirectory;
  readonly store: LightningStore;
  readonly log: Logger;
  readonly emit: (event: RunEvent) => void;
  readonly telemetry: RunTelemetry | null;
}

async function finish(run: TrainingRun, parts: RunParts): Promise<RunReport> {
  const { directory, store } = parts;
  try {
    const report = await run.run();
    directory.writeJson("report.json", report);
    directory.writeText("report.html", renderHtml(report, { violations: await store.violations(directory.run) }));
    await store.endRun({ id: directory.run, status: report.status, report });
    await tidyUp(report, parts);
    return report;
  } catch (error) {
    await leaveFailed(run.report("failed"), error, parts);
    throw failure(error, directory);
  }
}

/** The run has ended in the store: what fails here takes nothing of that back. */
async function tidyUp(report: RunReport, { directory, emit, telemetry, log }: RunParts): Promise<void> {
  try {
    if (report.status === "succeeded") new StateFolder(directory.path).keep(null);
    await telemetry?.end(report.status);
    emit({ type: "run-end", report });
  } catch (error) {
    log.warn({ error: messageOf(error) }, "the run has ended, and not all that follows was done");
  }
}

/** What can be written of a failure, where the machine lets it be: what kept the run from going on may keep this from being written, too. */
async function leaveFailed(report: RunReport, error: unknown, { directory, store, log }: RunParts): Promise<void> {
  log.error({ error: messageOf(error) }, "the run failed");
  try {
    directory.writeJson("report.json", report);
    await store.endRun({ id: directory.run, status: "failed", report });
  } catch (also) {
    log.error({ error: messageOf(also) }, "the directory or the store does not know that the run failed");
  }
}

function failure(error: unknown, { path }: RunDirectory): FaradayError {
  const advice = adviceOn(error);
  if (advice === null && error instanceof FaradayError) return error;
  const rest = advice === null ? "" : `: ${advice}, then go on with faraday train --resume ${path}`;
  return new FaradayError(`${messageOf(error)}${rest}`, { cause: error });
}
