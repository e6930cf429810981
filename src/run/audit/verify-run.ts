import type { AuditPublicKey } from "../../audit/audit-key.ts";
import type { LoggedSegment } from "../../audit/audit-log.ts";
import type { Checkpoint } from "../../audit/checkpoint.ts";
import { type LogVerification, type RecordedBatch, verifyLog } from "../../audit/verify-log.ts";
import type { Phase } from "../../core/episode.ts";
import { FaradayError } from "../../core/errors.ts";
import { type Measure, measureOf } from "../../report/measure.ts";
import type { LightningStore, StoredIteration, StoredRun, TreeSegment } from "../../store/lightning-store.ts";
import { episodeName } from "../attempt-name.ts";
import { checkPolicies } from "./check-policies.ts";
import { checkReport } from "./check-report.ts";
import { checkRows } from "./check-rows.ts";
import { checkSpans } from "./check-spans.ts";
import { checkWeights } from "./check-weights.ts";
import { type RecordedEpisode, recordedEpisode } from "./recorded-episode.ts";
import type { RunFinding } from "./run-finding.ts";

export interface VerifyRunOptions {
  readonly store: LightningStore;
  readonly run: StoredRun;
  /** `null` where only the store is at hand: then files are not checked. */
  readonly directory: string | null;
  readonly key: AuditPublicKey;
  /** The greatest tree seen before, from outside the store. */
  readonly knownHead: Checkpoint | null;
  /** Most findings that are listed; all are counted. */
  readonly findingsMax: number;
}

export interface RunVerification {
  readonly log: LogVerification;
  /** Of the log first, then of rows, spans, weights and report. */
  readonly findings: readonly RunFinding[];
  readonly findingCount: number;
  readonly episodes: number;
  readonly batches: number;
  readonly spans: number;
  /** Recorders: worker numbers, the main process left out. */
  readonly workers: number;
  /** Weights checkpoints in the run directory. */
  readonly weights: number;
}

/** A run that goes on stores batches while it is read. */
const triesMax = 5;

/**
 * Recomputes all that a run has stored from its signed records, and says what does not follow from them.
 * @throws {FaradayError} where the run goes on, and stored a batch each time that it was read.
 */
export async function verifyRun(options: VerifyRunOptions): Promise<RunVerification> {
  const { store, run } = options;
  for (let tries = 0; tries < triesMax; tries++) {
    const verification = await new RunCheck(options).check();
    const checkpoints = await store.checkpoints(run.id);
    if (checkpoints.length <= verification.log.checkpoints) return verification;
  }
  throw new FaradayError(
    `run ${run.id} goes on, and stores batches faster than it is verified: verify it when it has ended`,
  );
}

class RunCheck {
  readonly #options: VerifyRunOptions;
  readonly #recorded = new Map<string, RecordedEpisode>();
  readonly #findings: RunFinding[] = [];
  readonly #measures = new Map<Phase, Measure>();
  /** Rows that were compared with records, by worker and episode. */
  readonly #stored = new Set<string>();
  #findingCount = 0;
  #episodes = 0;
  #quarantined = 0;
  /** Newest stored attempt of every episode by its name. */
  readonly #attempts = new Map<string, number>();

  constructor(options: VerifyRunOptions) {
    this.#options = options;
  }

  async check(): Promise<RunVerification> {
    const { store, run, key, knownHead, directory, findingsMax } = this.#options;
    const checkpoints = await store.checkpoints(run.id);
    const segments: TreeSegment[] = [];
    for await (const segment of store.auditTree(run.id)) segments.push(segment);
    const log = verifyLog(
      { run: run.id, segments, checkpoints: checkpoints.map(({ note }) => note), key, knownHead },
      { findingsMax, onAttempt: (attempt) => this.#take(recordedEpisode(attempt)) },
    );
    for (const finding of log.findings) this.#found(finding);
    this.#findingCount = log.findingCount;
    this.#checkCheckpointColumns(checkpoints, log);
    const iterations = await store.iterations(run.id);
    await this.#checkBatches(iterations, log);
    this.#checkUnstored();
    const spans = await this.#checkSpans(segments);
    checkPolicies(run.config, this.#recorded.values(), this.#found);
    const { origin, size, root } = log.head ?? {};
    const tree = origin === undefined || size === undefined || root === undefined ? null : { origin, size, root };
    const figures = { measures: this.#measures, iterations, quarantinedEpisodes: this.#quarantined, tree };
    checkReport({ run, directory }, figures, this.#found);
    const signed = { run: run.id, origin: log.origin, updates: log.updates, checkpoints };
    const weights = directory === null ? 0 : checkWeights(directory, signed, this.#found);
    const workers = new Set(segments.map(({ worker }) => worker).filter((worker) => worker !== 0)).size;
    return {
      log,
      findings: this.#findings,
      findingCount: this.#findingCount,
      ...{ episodes: this.#episodes, batches: iterations.length, spans, workers, weights },
    };
  }

  readonly #found = (finding: RunFinding): void => {
    this.#findingCount++;
    if (this.#findings.length < this.#options.findingsMax) this.#findings.push(finding);
  };

  #take(recorded: RecordedEpisode): void {
    this.#recorded.set(keyOf(recorded.worker, recorded.id), recorded);
  }

  /** What stands beside a signed note must say what the note says. */
  #checkCheckpointColumns(
    stored: Awaited<ReturnType<LightningStore["checkpoints"]>>,
    { batches }: LogVerification,
  ): void {
    for (const [index, { size, root, note, phase, iteration }] of stored.entries()) {
      const batch = batches.find((each) => each.size === size);
      const [, signedSize, signedRoot = ""] = note.split("\n");
      const misplaced = batch !== undefined && (batch.phase !== phase || batch.iteration !== iteration);
      const differs = signedSize !== String(size) || Buffer.from(signedRoot, "base64").toString("hex") !== root;
      if (!misplaced && !differs) continue;
      this.#found({
        code: "checkpoint-order",
        message: `checkpoint ${index}: its row says size ${size}, root ${root}, batch ${phase} ${iteration}; its note or the log says another`,
        ...{ checkpoint: index, phase, iteration },
      });
    }
  }

  async #checkBatches(iterations: readonly StoredIteration[], log: LogVerification): Promise<void> {
    const { store, run } = this.#options;
    const unstored = new Map(log.batches.map((batch) => [nameOf(batch), batch]));
    const disturbed = new Set(log.findings.flatMap(({ worker }) => worker ?? []));
    for (const iteration of iterations) {
      const episodes = await store.episodes(run.id, iteration.phase, iteration.iteration);
      this.#count(iteration.phase, episodes);
      const recorded = unstored.get(nameOf(iteration));
      unstored.delete(nameOf(iteration));
      if (recorded === undefined) {
        this.#found({
          code: "batch-unrecorded",
          message: `batch ${nameOf(iteration)} is stored with ${episodes.length} episodes, and the log has no batch record of it`,
          ...placeOf(iteration),
        });
        for (const { key, worker } of episodes) this.#recorded.delete(keyOf(worker, key.id));
        continue;
      }
      const recordsOf = (worker: number, episode: string) => this.#recorded.get(keyOf(worker, episode));
      const isDisturbed = (worker: number) => disturbed.has(worker);
      checkRows({ iteration, episodes, recorded, recordsOf, isDisturbed }, this.#found);
      for (const { key, worker } of episodes) this.#stored.add(keyOf(worker, key.id));
    }
    for (const batch of unstored.values()) this.#unstoredBatch(batch);
  }

  #count(phase: Phase, episodes: Awaited<ReturnType<LightningStore["episodes"]>>): void {
    this.#episodes += episodes.length;
    this.#quarantined += episodes.filter(({ outcome }) => outcome === "quarantined").length;
    this.#measures.set(phase, measureOf(episodes));
    for (const { key, attempt } of episodes) this.#attempts.set(episodeName(key.id), attempt);
  }

  #unstoredBatch(batch: RecordedBatch): void {
    const message = `batch ${nameOf(batch)} is recorded with ${batch.episodes} episodes, and the store has no such batch: it was deleted`;
    this.#found({ code: "batch-unstored", message, ...placeOf(batch) });
  }

  /** Attempts before the one that is stored have no row; everything else that was recorded must have one. */
  #checkUnstored(): void {
    for (const { id, worker, epoch, sequence } of this.#recorded.values()) {
      if (this.#stored.has(keyOf(worker, id))) continue;
      const name = episodeName(id);
      const attempt = id === name ? 1 : Number(id.slice(name.length + 1));
      const newest = this.#attempts.get(name) ?? 0;
      // Of an attempt that was given up with its worker, the row says that no worker has it.
      if (newest > attempt || this.#stored.has(keyOf(0, id))) continue;
      const message = `episode ${id} is recorded, and the store has no row of it by worker ${worker}: it was deleted`;
      this.#found({ code: "episode-deleted", message, ...{ worker, epoch, sequence, episode: id } });
    }
  }

  async #checkSpans(segments: readonly TreeSegment[]): Promise<number> {
    const { store, run } = this.#options;
    const { runner } = run.config as { readonly runner?: { readonly emitViolations?: boolean } };
    const stored = Map.groupBy(await store.spans(run.id), ({ episode }) => episode);
    const checked = { stored, run: run.id, emitViolations: runner?.emitViolations ?? true };
    const counted = await store.spanCount(run.id);
    let expected: number | null = 0;
    for (const batch of Map.groupBy(segments, nameOf).values()) {
      const { phase, iteration } = batch[0] as TreeSegment;
      const tell = (finding: RunFinding) => this.#found({ phase, iteration, ...finding });
      const count = checkSpans(batch as readonly LoggedSegment[], checked, tell);
      expected = expected === null || count === null ? null : expected + count;
    }
    if (expected !== null && counted > expected) {
      const message = `there are ${counted} spans, the records give ${expected}: the others were added`;
      this.#found({ code: "span-changed", message });
    }
    return counted;
  }
}

function nameOf({ phase, iteration }: { readonly phase: Phase; readonly iteration: number }): string {
  return `${phase} ${iteration}`;
}

function placeOf({ phase, iteration }: { readonly phase: Phase; readonly iteration: number }) {
  return { phase, iteration };
}

function keyOf(worker: number, episode: string): string {
  return `${worker} ${episode}`;
}
