import type { AuditSegment } from "../../core/audit.ts";
import type { Phase } from "../../core/episode.ts";
import { FaradayError, messageOf } from "../../core/errors.ts";
import type { TrajectoryColumns } from "../../core/trajectory.ts";
import type { KeptWeights } from "../kept-weights.ts";
import type {
  BatchRecord,
  BatchWriter,
  LightningStore,
  RunStatus,
  StoredCheckpoint,
  StoredEpisode,
  StoredIteration,
  StoredRun,
  StoredViolation,
  TreeSegment,
} from "../lightning-store.ts";
import type { Span } from "../span.ts";
import type { Engine, Shared } from "./engine.ts";
import type { Operation } from "./operation.ts";
import { Patience } from "./outage.ts";
import { readAudit, readCheckpoints, readTree } from "./training/audit-rows.ts";
import { readIterations, readTrajectories, writeBatch, writeBatchUnlessStored } from "./training/batch-rows.ts";
import { readEpisodes, readViolations } from "./training/episode-rows.ts";
import { beginRun, endRun, endRunUnlessEnded, keyOfRun, lockRun, readRuns, resumeRun } from "./training/run-rows.ts";
import { countSpans, importSpans, readSpans } from "./training/span-rows.ts";
import { writeWeights } from "./training/weights-rows.ts";

export interface RunStoreOptions {
  /** What stores batches in its stead, on the same database. */
  readonly batches?: BatchWriter;
  /** How long what a database does not answer is tried again; 0 not at all. */
  readonly outageMs?: number;
}

/** What is done in place of an operation, where an earlier attempt at it may have been done. */
interface Repeatable<Result> {
  readonly again: () => Operation<Result>;
}

/** The part of the store that training runs use, on either database. */
export class RunStore implements LightningStore {
  protected readonly engine: Engine;
  readonly #batches: BatchWriter | undefined;
  readonly #patience: Patience;

  constructor(engine: Engine, { batches, outageMs = 0 }: RunStoreOptions = {}) {
    this.engine = engine;
    this.#batches = batches;
    this.#patience = new Patience(engine.name, outageMs);
  }

  async beginRun(run: { readonly id: string; readonly config: unknown }): Promise<void> {
    await this.write("begin a run", () => beginRun(run));
  }

  async resumeRun(run: string): Promise<{ readonly epoch: number }> {
    const operation = () => resumeRun(run);
    return await this.write("resume a run", operation, { again: operation });
  }

  async endRun(run: { readonly id: string; readonly status: RunStatus; readonly report?: unknown }): Promise<void> {
    await this.write("end a run", () => endRun(run), { again: () => endRunUnlessEnded(run) });
  }

  async storeBatch(batch: BatchRecord): Promise<void> {
    if (this.#batches !== undefined) await this.#batches.storeBatch(batch);
    else await this.write("store a batch", () => writeBatch(batch), { again: () => writeBatchUnlessStored(batch) });
  }

  async storeWeights(weights: KeptWeights): Promise<void> {
    const operation = () => writeWeights(weights, Date.now() / 1000);
    await this.write("store weights", operation, { again: operation });
  }

  async importSpans(run: string, spans: readonly Span[]): Promise<number> {
    return await this.write("import spans", function* () {
      return yield* importSpans({ id: run, key: yield* lockRun(run) }, spans);
    });
  }

  async runs(): Promise<readonly StoredRun[]> {
    return await this.read("read runs", readRuns);
  }

  async iterations(run: string): Promise<readonly StoredIteration[]> {
    return await this.#readRun("iterations", run, readIterations);
  }

  async violations(run: string, limit?: number): Promise<readonly StoredViolation[]> {
    return await this.#readRun("violations", run, (key) => readViolations(key, limit));
  }

  async episodes(run: string, phase?: Phase, iteration?: number): Promise<readonly StoredEpisode[]> {
    return await this.#readRun("episodes", run, (key) => readEpisodes(key, { phase, iteration }));
  }

  async trajectories(run: string, phase: Phase, iteration: number): Promise<TrajectoryColumns | null> {
    return await this.#readRun("trajectories", run, (key) => readTrajectories(key, { phase, iteration }));
  }

  async audit(run: string): Promise<readonly AuditSegment[]> {
    return await this.#readRun("audit segments", run, readAudit);
  }

  async *auditTree(run: string): AsyncGenerator<TreeSegment> {
    let leaf = 0;
    while (true) {
      const segments = await this.#readRun("audit segments", run, (key) => readTree(key, leaf));
      yield* segments;
      const last = segments.at(-1);
      if (last === undefined) return;
      leaf = last.leaf + 1;
    }
  }

  async checkpoints(run: string): Promise<readonly StoredCheckpoint[]> {
    return await this.#readRun("checkpoints", run, readCheckpoints);
  }

  async spanCount(run: string): Promise<number> {
    return await this.#readRun("spans", run, countSpans);
  }

  async spans(run: string, episode?: string): Promise<readonly Span[]> {
    return await this.#readRun("spans", run, (key) => readSpans({ id: run, key }, episode));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#patience[Symbol.dispose]();
    await this.#batches?.[Symbol.asyncDispose]();
    await this.engine[Symbol.asyncDispose]();
  }

  #readRun<Result>(what: string, run: string, operation: (key: number) => Operation<Result>): Promise<Result> {
    return this.read(`read ${what}`, function* () {
      return yield* operation(yield* keyOfRun(run));
    });
  }

  protected write<Result>(
    what: string,
    operation: () => Operation<Result>,
    { again, shared }: Partial<Repeatable<Result>> & { readonly shared?: Shared | undefined } = {},
  ): Promise<Result> {
    const attempt = (mayBeDone: boolean) => this.engine.write(mayBeDone && again ? again : operation, shared);
    return this.guard(what, () => this.#patience.run(attempt, again !== undefined));
  }

  protected read<Result>(what: string, operation: () => Operation<Result>): Promise<Result> {
    return this.guard(what, () => this.#patience.run(() => this.engine.read(operation), true));
  }

  /** Everything that goes wrong comes out as a FaradayError that says where. */
  protected async guard<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof FaradayError) throw error;
      throw new FaradayError(`store ${this.engine.name} could not ${what}: ${messageOf(error)}`, { cause: error });
    }
  }
}
