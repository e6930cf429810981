import { FaradayError } from "../../../core/errors.ts";
import type { RunStatus, StoredRun } from "../../lightning-store.ts";
import { change, firstOf, type Operation, rowsOf } from "../operation.ts";
import { statement } from "../statement.ts";

// Runs and their statuses: running, then ended, then perhaps resumed.

export interface RunStart {
  readonly id: string;
  readonly config: unknown;
}

export interface RunEnd {
  readonly id: string;
  readonly status: RunStatus;
  readonly report?: unknown;
}

export function* beginRun({ id, config }: RunStart): Operation<void> {
  const begun = yield* change(insertRun, { id, config: JSON.stringify(config ?? null), at: Date.now() });
  if (begun === 0) throw new FaradayError(`run ${id} is already in the store`);
}

export function* resumeRun(id: string): Operation<{ readonly epoch: number }> {
  const run = yield* keyOfRun(id);
  yield* change(restartRun, { run });
  const last = yield* firstOf(lastEpoch, { run });
  return { epoch: last?.epoch === undefined || last.epoch === null ? 0 : last.epoch + 1 };
}

export function* endRun(run: RunEnd): Operation<void> {
  const ended = yield* finish(run);
  if (!ended) throw new FaradayError(`run ${run.id} is not running, so it cannot end`);
}

/** As {@link endRun}, where an attempt at it may have been made final. */
export function* endRunUnlessEnded(run: RunEnd): Operation<void> {
  yield* finish(run);
}

/** @returns Whether it was running. */
function* finish({ id, status, report }: RunEnd): Operation<boolean> {
  const run = yield* keyOfRun(id);
  return (yield* change(finishRun, { run, status, report: JSON.stringify(report ?? null), at: Date.now() })) > 0;
}

/** The integer that stands for a run in every table. */
export function* keyOfRun(id: string): Operation<number> {
  const row = yield* firstOf(selectKey, { id });
  if (row === undefined) throw new FaradayError(`run ${id} is not in the store`);
  return row.key;
}

/** As {@link keyOfRun}, and nobody else stores anything of the run until the transaction ends. */
export function* lockRun(id: string): Operation<number> {
  const row = yield* firstOf(selectKeyLocked, { id });
  if (row === undefined) throw new FaradayError(`run ${id} is not in the store`);
  return row.key;
}

export function* readRuns(): Operation<readonly StoredRun[]> {
  const rows = yield* rowsOf(selectRuns, {});
  return rows.map(({ id, status, config, report, started_at, ended_at }) => ({
    ...{ id, status, config: JSON.parse(config), report: JSON.parse(report ?? "null") },
    ...{ startedAt: started_at, endedAt: ended_at },
  }));
}

const insertRun = statement<{ id: string; config: string; at: number }>()(({ db, given }) =>
  db
    .insertInto("runs")
    .values({ id: given.id, status: "running", config: given.config, started_at: given.at })
    .onConflict((conflict) => conflict.column("id").doNothing()),
);
const restartRun = statement<{ run: number }>()(({ db, given }) =>
  db.updateTable("runs").set({ status: "running", report: null, ended_at: null }).where("key", "=", given.run),
);
const finishRun = statement<{ run: number; status: RunStatus; report: string; at: number }>()(({ db, given }) =>
  db
    .updateTable("runs")
    .set({ status: given.status, report: given.report, ended_at: given.at })
    .where("key", "=", given.run)
    .where("status", "=", "running"),
);
const lastEpoch = statement<{ run: number }>()(({ db, given }) =>
  db
    .selectFrom("audit_segments")
    .select(({ fn }) => fn.max("epoch").as("epoch"))
    .where("run", "=", given.run),
);
const selectKey = statement<{ id: string }>()(({ db, given }) =>
  db.selectFrom("runs").select("key").where("id", "=", given.id),
);
const selectKeyLocked = statement<{ id: string }>()(({ db, given, dialect }) => {
  const select = db.selectFrom("runs").select("key").where("id", "=", given.id);
  return dialect === "postgres" ? select.forUpdate() : select;
});
const selectRuns = statement()(({ db }) =>
  db.selectFrom("runs").select(["id", "status", "config", "report", "started_at", "ended_at"]).orderBy("key"),
);
