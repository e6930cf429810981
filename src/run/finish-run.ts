import type { DeadlineOptions } from "../config/fault-options.ts";
import { FaradayError, messageOf } from "../core/errors.ts";
import { renderHtml } from "../report/html.ts";
import type { RunReport } from "../report/run-report.ts";
import type { LightningStore } from "../store/lightning-store.ts";
import type { RunTelemetry } from "../telemetry/run-telemetry.ts";
import { advised, goOn } from "./advised.ts";
import type { RunEvent } from "./events.ts";
import type { Logger } from "./log.ts";
import type { RunDirectory } from "./run-directory.ts";
import { StateFolder } from "./run-state.ts";
import type { TrainingRun } from "./training-run.ts";
import { withinStoreDeadline } from "./within-deadline.ts";

/** What a run that ends leaves its traces in. */
interface RunParts {
  readonly directory: RunDirectory;
  readonly store: LightningStore;
  readonly log: Pick<Logger, "warn" | "error">;
  readonly emit: (event: RunEvent) => void;
  readonly telemetry: RunTelemetry | null;
  readonly deadlines: DeadlineOptions;
}

/**
 * Runs to the end, and leaves its report in the directory and the store, also where it fails.
 * @throws {FaradayError} that says what to do, where something can be done.
 */
export async function finishRun(run: TrainingRun, parts: RunParts): Promise<RunReport> {
  const { directory, store, deadlines } = parts;
  try {
    const report = await run.run();
    directory.writeJson("report.json", report);
    const violations = await withinStoreDeadline(store.violations(directory.run), deadlines, "told the violations");
    directory.writeText("report.html", renderHtml(report, { violations }));
    await ended(report, parts);
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

function ended(report: RunReport, { directory, store, deadlines }: RunParts): Promise<void> {
  const { status } = report;
  return withinStoreDeadline(
    store.endRun({ id: directory.run, status, report }),
    deadlines,
    "taken the end of the run",
  );
}

/** What can be written of a failure, where the machine lets it be: what kept the run from going on may keep this from being written, too. */
async function leaveFailed(report: RunReport, error: unknown, parts: RunParts): Promise<void> {
  const { directory, log } = parts;
  log.error({ error: messageOf(error) }, "the run failed");
  try {
    directory.writeJson("report.json", report);
    await ended(report, parts);
  } catch (also) {
    log.error({ error: messageOf(also) }, "the directory or the store does not know that the run failed");
  }
}

function failure(error: unknown, { path }: RunDirectory): FaradayError {
  const told = advised(error, goOn(path));
  return told instanceof FaradayError ? told : new FaradayError(messageOf(told), { cause: told });
}
