import { type AuditKey, loadAuditKey } from "../audit/audit-key.ts";
import type { ResolvedConfig } from "../config/config-schema.ts";
import type { AgentSignal } from "../core/audit.ts";
import { FaradayError, messageOf } from "../core/errors.ts";
import { renderHtml } from "../report/html.ts";
import type { RunReport } from "../report/run-report.ts";
import type { LightningStore } from "../store/lightning-store.ts";
import { openStore, storePlace } from "../store/open.ts";
import { AuditTrail } from "./audit-trail.ts";
import type { RunEvent } from "./events.ts";
import { loadEnvironment } from "./load-environment.ts";
import { type Logger, openLog } from "./log.ts";
import { Planner } from "./plan.ts";
import { openPolicyModel } from "./policy-model.ts";
import { RolloutPool, workerCountOf } from "./rollout-pool.ts";
import { defaultRunDirectory, RunDirectory } from "./run-directory.ts";
import { SignalInbox, signalFile } from "./signal-inbox.ts";
import { TrainingRun } from "./training-run.ts";
import { tryKernel } from "./try-kernel.ts";

export interface TrainRunOptions {
  readonly config: ResolvedConfig;
  /** Run directory; `runs/<time>-seed<N>` where it is absent. */
  readonly out?: string;
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
 * Evaluates, trains and evaluates again, with everything on disk in the run directory.
 * @throws {InputError} before anything is written, where an input is wrong.
 */
export async function train(options: TrainRunOptions): Promise<RunReport> {
  const { config, out, verbose = false, signal, events } = options;
  const environment = await loadEnvironment(config);
  const checkpoint = openPolicyModel(config, environment);
  const planner = new Planner(environment.tasks, config.train);
  planner.tasksOf("train");
  planner.tasksOf("test");
  await tryKernel(config, environment);
  const key = loadAuditKey(config.audit.key === undefined ? {} : { path: config.audit.key });
  using directory = RunDirectory.create(out ?? defaultRunDirectory(config.train.seed));
  const { store: opened, audit } = await beginRun(config, directory, key);
  await using store = opened;
  const log = openLog(directory.file("run.log"), { verbose });
  const emit = (event: RunEvent) => {
    directory.appendEvent(event);
    log.info(event.type === "run-end" ? { type: event.type } : event);
    events?.(event);
  };
  directory.writeJson("config.json", config);
  await using pool = new RolloutPool(config, checkpoint, (reason) => {
    log.warn({ reason }, "a task failed in a worker");
    emit({ type: "task-failure", reason });
  });
  const control: RunControl = {
    signal(episode, name) {
      pool.signal(episode, name);
      emit({ type: "signal", episode, signal: name });
    },
  };
  using _inbox = new SignalInbox(directory.file(signalFile), {
    signal: control.signal,
    rejected: (reason) => log.warn({ reason }, "a signal was passed over"),
  });
  options.control?.(control);
  const { iterations } = config.train;
  emit({ type: "run-start", run: directory.run, dir: directory.path, workers: workerCountOf(config), iterations });
  const run = new TrainingRun({
    config,
    planner,
    checkpoint,
    pool,
    audit,
    directory,
    signal: signal ?? new AbortController().signal,
    emit,
  });
  return await finish(run, { directory, store, log, emit });
}

/** Opens the store with the run in it, and its audit log. The directory is as it was before where that cannot be done. */
async function beginRun(
  config: ResolvedConfig,
  directory: RunDirectory,
  key: AuditKey,
): Promise<{ readonly store: LightningStore; readonly audit: AuditTrail }> {
  const baseDir = directory.path;
  let store: LightningStore | undefined;
  try {
    store = await openStore(config.store, { baseDir });
    await store.beginRun({ id: directory.run, config });
    const place = storePlace(config.store, { baseDir });
    return { store, audit: AuditTrail.begin({ config, run: directory.run, store, place, key }) };
  } catch (error) {
    await store?.[Symbol.asyncDispose]();
    directory.discard();
    throw error;
  }
}

async function finish(
  run: TrainingRun,
  parts: { directory: RunDirectory; store: LightningStore; log: Logger; emit: (event: RunEvent) => void },
): Promise<RunReport> {
  const { directory, store, log, emit } = parts;
  let report: RunReport;
  try {
    report = await run.run();
  } catch (error) {
    log.error({ error: messageOf(error) }, "the run failed");
    const failed = run.report("failed");
    directory.writeJson("report.json", failed);
    await store.endRun({ id: directory.run, status: "failed", report: failed }).catch((also: unknown) => {
      log.error({ error: messageOf(also) }, "the store does not know that the run failed");
    });
    throw error instanceof FaradayError ? error : new FaradayError(messageOf(error), { cause: error });
  }
  directory.writeJson("report.json", report);
  directory.writeText("report.html", renderHtml(report, { violations: await store.violations(directory.run) }));
  await store.endRun({ id: directory.run, status: report.status, report });
  emit({ type: "run-end", report });
  return report;
}
