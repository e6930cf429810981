import { attemptsOf } from "../../../audit/attempts-of.ts";
import type { Phase } from "../../../core/episode.ts";
import { FaradayError } from "../../../core/errors.ts";
import type { TrajectoryColumns } from "../../../core/trajectory.ts";
import type { BatchRecord, RecordedTotals, StoredEpisode, StoredIteration } from "../../lightning-store.ts";
import { batchSpans } from "../../spans-of.ts";
import { firstOf, insertForKeys, insertRows, type Operation, rowsOf } from "../operation.ts";
import { statement } from "../statement.ts";
import { packTrajectoryColumns, unpackTrajectoryColumns } from "../trajectory-codec.ts";
import { writeAudit } from "./audit-rows.ts";
import { writeEpisodes } from "./episode-rows.ts";
import { lockRun } from "./run-rows.ts";
import { dropSpans } from "./span-rows.ts";

function countSpans({ audit, recorded = totalsOf(audit), emitViolations }: BatchRecord): number {
  return recorded.attempts + recorded.syscalls + (emitViolations ? recorded.violations : 0);
}

function totalsOf({ segments }: BatchRecord["audit"]): RecordedTotals {
  const attempts = attemptsOf(segments.filter(({ worker }) => worker !== 0));
  const syscalls = attempts.flatMap((attempt) => attempt.syscalls);
  const violations = syscalls.reduce((sum, { outcome }) => sum + (outcome?.violations.length ?? 0), 0);
  return { attempts: attempts.length, syscalls: syscalls.length, violations };
}

/** @throws {FaradayError} where a segment does not hold what it says of itself, a figure is no number, or a part is stored already. */
export function* writeBatch(batch: BatchRecord): Operation<void> {
  checkFigures(batch);
  const run = yield* lockRun(batch.run);
  const keys = { run, batch: yield* writeIteration(run, batch) };
  yield* writeEpisodes(keys, batch);
  yield* writeAudit(keys, batch);
  if (batch.trajectories !== undefined) {
    const row = [keys.batch, packTrajectoryColumns(batch.trajectories)];
    yield* insertRows({ table: "trajectories", columns: ["batch", "bytes"], rows: [row] });
  }
  yield* dropSpans(run, () => batchSpans(batch.run, batch.audit.segments, batch));
}

/**
 * As {@link writeBatch}, where an attempt at it may have been made final: then it is there whole, and nothing is written. Whoever still has
 * that attempt in hand is waited for.
 */
export function* writeBatchUnlessStored(batch: BatchRecord): Operation<void> {
  const run = yield* lockRun(batch.run);
  const { phase, iteration } = batch;
  const stored = yield* firstOf(selectIteration, { run, phase, iteration });
  if (stored === undefined) yield* writeBatch(batch);
}

function* writeIteration(run: number, batch: BatchRecord): Operation<number> {
  const { phase, iteration, weights, episodes, metrics, emitViolations } = batch;
  const columns = [
    "run",
    "phase",
    "iteration",
    "weights",
    "episodes",
    "metrics",
    "stored_at",
    "spans",
    "emit_violations",
  ];
  const json = JSON.stringify(metrics);
  const row = [
    run,
    phase,
    iteration,
    weights,
    episodes.length,
    json,
    Date.now(),
    countSpans(batch),
    Number(emitViolations),
  ];
  const unless = ["run", "phase", "iteration"];
  const [key = null] = yield* insertForKeys({ table: "iterations", columns, rows: [row], unless });
  if (key === null) throw new FaradayError(`${nameOf(batch)} is already in the store`);
  return key;
}

export function* readIterations(run: number): Operation<readonly StoredIteration[]> {
  return (yield* rowsOf(selectIterations, { run })).map(({ stored_at, metrics, ...row }) => ({
    ...{ ...row, metrics: JSON.parse(metrics), storedAt: stored_at },
  }));
}

export function* readTrajectories(
  run: number,
  at: { readonly phase: Phase; readonly iteration: number },
): Operation<TrajectoryColumns | null> {
  const row = yield* firstOf(selectTrajectories, { run, ...at });
  return row === undefined ? null : unpackTrajectoryColumns(row.bytes);
}

/** Databases turn NaN into NULL, or keep it, and JSON says null: a broken figure must not pass for another. */
function checkFigures(batch: BatchRecord): void {
  for (const [name, value] of Object.entries(batch.metrics)) {
    if (!Number.isFinite(value))
      throw new FaradayError(`metric ${name} of ${nameOf(batch)} must be finite, got ${value}`);
  }
  for (const episode of batch.episodes) checkEpisode(episode, batch);
}

function checkEpisode({ key, reward, cost, scalarReward, advantage }: StoredEpisode, batch: BatchRecord): void {
  if (key.phase !== batch.phase || key.iteration !== batch.iteration) {
    throw new FaradayError(`episode ${key.id} belongs to ${key.phase} ${key.iteration}, not to ${nameOf(batch)}`);
  }
  for (const [name, value] of Object.entries({ reward, cost, scalarReward, advantage: advantage ?? 0 })) {
    if (!Number.isFinite(value))
      throw new FaradayError(`the ${name} of episode ${key.id} must be finite, got ${value}`);
  }
  if (cost < 0) throw new FaradayError(`the cost of episode ${key.id} must be 0 or more, got ${cost}`);
}

function nameOf(batch: BatchRecord): string {
  return `batch ${batch.phase} ${batch.iteration} of run ${batch.run}`;
}

const selectIteration = statement<{ run: number; phase: Phase; iteration: number }>()(({ db, given }) =>
  db
    .selectFrom("iterations")
    .select("key")
    .where("run", "=", given.run)
    .where("phase", "=", given.phase)
    .where("iteration", "=", given.iteration),
);
const selectIterations = statement<{ run: number }>()(({ db, given }) =>
  db
    .selectFrom("iterations")
    .select(["phase", "iteration", "weights", "episodes", "metrics", "stored_at"])
    .where("run", "=", given.run)
    .orderBy("key"),
);
const selectTrajectories = statement<{ run: number; phase: Phase; iteration: number }>()(({ db, given }) =>
  db
    .selectFrom("trajectories")
    .innerJoin("iterations", "iterations.key", "trajectories.batch")
    .select("bytes")
    .where("run", "=", given.run)
    .where("phase", "=", given.phase)
    .where("iteration", "=", given.iteration),
);
