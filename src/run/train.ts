import { loadAuditKey } from "../audit/audit-key.ts";
import type { ResolvedConfig } from "../config/config-schema.ts";
import type { AgentSignal } from "../core/audit.ts";
import { InputError } from "../core/errors.ts";
import type { RunReport } from "../report/run-report.ts";
import { openTelemetry } from "../telemetry/open.ts";
import { beginRun } from "./begin-run.ts";
import type { FaultEvent, RunEvent } from "./events.ts";
import { finishRun } from "./finish-run.ts";
import { loadEnvironment } from "./load-environment.ts";
import { openLog } from "./log.ts";
import { Planner } from "./plan.ts";
import { openPolicyModel } from "./policy-model.ts";
import { finishedReport, resumeRun, tasksDigest } from "./resume.ts";
import { RolloutPool, workerCountOf } from "./rollout-pool.ts";
import { defaultRunDirectory, RunDirectory } from "./run-directory.ts";
import { SignalInbox, signalFile } from "./signal-inbox.ts";
import { StatusWriter } from "./status-writer.ts";
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
  return await finishRun(run, { directory, store, log, emit, telemetry, deadlines: config.deadlines });
}
