import { sql } from "kysely";
import { FaradayError, InputError, messageOf } from "../../core/errors.ts";
import { copyStore } from "./copy-store.ts";
import type { Engine } from "./engine.ts";
import { change, type Operation, rowsOf, rowsOnce } from "./operation.ts";
import { countAll } from "./queue/statistics.ts";
import { schemaVersion } from "./schema.ts";
import { statement } from "./statement.ts";
import { removeWeights } from "./training/weights-rows.ts";

export interface StoreStats {
  readonly schemaVersion: number;
  /** On disk, with logs and indices. */
  readonly bytes: number;
  readonly runs: number;
  readonly batches: number;
  readonly episodes: number;
  readonly violations: number;
  readonly auditRecords: number;
  readonly rollouts: number;
  readonly attempts: number;
  readonly spans: number;
  readonly resources: number;
  readonly workers: number;
}

/** What is done to a store as a whole. */
export class StoreMaintenance implements AsyncDisposable {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async stats(): Promise<StoreStats> {
    const counts = await this.#guard("count", () => this.#engine.read(countRows));
    return { schemaVersion, bytes: await this.#guard("measure", () => this.#engine.bytes()), ...counts };
  }

  /**
   * Deletes all runs but the newest ones. A run that goes on is kept, and not counted.
   * @returns Their ids.
   */
  async prune(keep: number): Promise<readonly string[]> {
    return await this.#guard("prune", () => this.#engine.write(() => pruneRuns(keep)));
  }

  /** Gives the space of what was deleted back. @returns Bytes on disk before and after. */
  async vacuum(): Promise<{ readonly before: number; readonly after: number }> {
    return await this.#guard("vacuum", async () => {
      const before = await this.#engine.bytes();
      await this.#engine.vacuum();
      return { before, after: await this.#engine.bytes() };
    });
  }

  /**
   * Copies everything, row by row, into a store that holds nothing. Nobody may write to either of them meanwhile.
   * @returns How many rows.
   */
  async copyTo(target: StoreMaintenance): Promise<number> {
    const { runs, rollouts } = await target.stats();
    if (runs + rollouts > 0) {
      throw new InputError(
        `store ${target.#engine.name} must be empty to be copied to, got ${runs} runs and ${rollouts} rollouts`,
      );
    }
    return await this.#guard("copy", () => copyStore(this.#engine, target.#engine));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine[Symbol.asyncDispose]();
  }

  async #guard<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof FaradayError) throw error;
      throw new FaradayError(`store ${this.#engine.name}: could not ${what}: ${messageOf(error)}`, { cause: error });
    }
  }
}

function* countRows(): Operation<Omit<StoreStats, "schemaVersion" | "bytes">> {
  const queue = yield* countAll();
  const [row] = yield* rowsOnce<Pick<StoreStats, "runs" | "batches" | "episodes" | "violations"> & { records: number }>(
    ({ db }) => {
      const counts = sql<never>`SELECT (SELECT count(*) FROM runs) AS runs, (SELECT count(*) FROM iterations) AS batches,
        (SELECT count(*) FROM rollouts) AS episodes, (SELECT count(*) FROM violations) AS violations,
        (SELECT coalesce(sum(count), 0) FROM audit_segments) AS records`;
      return { compile: () => counts.compile(db) };
    },
  );
  const { runs = 0, batches = 0, episodes = 0, violations = 0, records = 0 } = row ?? {};
  return {
    ...{ runs, batches, episodes, violations, auditRecords: records },
    ...{ rollouts: queue.total_rollouts - episodes, attempts: queue.total_attempts - episodes },
    ...{ spans: queue.total_spans, resources: queue.total_resources, workers: queue.total_workers },
  };
}

function* pruneRuns(keep: number): Operation<readonly string[]> {
  const ended = yield* rowsOf(selectEnded, {});
  const removed = ended.slice(0, Math.max(0, ended.length - keep));
  for (const { key } of removed) {
    yield* change(deleteViolations, { run: key });
    yield* change(deleteTrajectories, { run: key });
    for (const deletion of deletions) yield* change(deletion, { run: key });
    yield* change(deleteRun, { run: key });
  }
  const ids = removed.map(({ id }) => id);
  yield* removeWeights(new Set(ids));
  return ids;
}

const selectEnded = statement()(({ db }) =>
  db.selectFrom("runs").select(["key", "id"]).where("status", "!=", "running").orderBy("key"),
);
const deleteViolations = statement<{ run: number }>()(({ db, given }) =>
  db
    .deleteFrom("violations")
    .where("rollout", "in", (eb) => eb.selectFrom("rollouts").select("key").where("run", "=", given.run)),
);
const deleteTrajectories = statement<{ run: number }>()(({ db, given }) =>
  db
    .deleteFrom("trajectories")
    .where("batch", "in", (eb) => eb.selectFrom("iterations").select("key").where("run", "=", given.run)),
);
/** Those that refer to others come first. */
const deletions = (["spans", "rollouts", "audit_segments", "audit_checkpoints", "iterations"] as const).map((table) =>
  statement<{ run: number }>()(({ db, given }) => db.deleteFrom(table).where("run", "=", given.run)),
);
const deleteRun = statement<{ run: number }>()(({ db, given }) => db.deleteFrom("runs").where("key", "=", given.run));
