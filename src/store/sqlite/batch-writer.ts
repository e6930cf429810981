import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { EpisodeViolation } from "../../core/episode.ts";
import { FaradayError } from "../../core/errors.ts";
import type { BatchRecord, StoredEpisode } from "../lightning-store.ts";
import { batchSpans } from "../spans-of.ts";
import { AuditWriter } from "./audit-writer.ts";
import { prepareInsert } from "./insert.ts";
import type { SpanWriter } from "./span-writer.ts";

/** Writes batches. Runs inside the caller's transaction, which ends it when anything here throws. */
export class BatchWriter {
  readonly #audit: AuditWriter;
  readonly #spans: SpanWriter;
  readonly #insertIteration: StatementSync;
  readonly #insertRollout: StatementSync;
  readonly #insertViolation: StatementSync;

  constructor(database: DatabaseSync, spans: SpanWriter) {
    this.#audit = new AuditWriter(database);
    this.#spans = spans;
    this.#insertIteration = prepareInsert(
      database,
      "iterations (run, phase, iteration, weights, episodes, metrics, stored_at)",
      "ON CONFLICT (run, phase, iteration) DO NOTHING",
    );
    this.#insertRollout = prepareInsert(
      database,
      `rollouts (run, batch, episode, task, split, group_index, episode_index, seed, weights, worker, attempt, outcome,
        error_boundary, error, success, reward, cost, scalar_reward, advantage, steps, tokens, oracle)`,
      "ON CONFLICT (run, episode) DO NOTHING",
    );
    this.#insertViolation = prepareInsert(
      database,
      `violations (rollout, step, statement, policy, rule, severity, type, description, blocked, penalty)`,
    );
  }

  write(run: number, batch: BatchRecord): void {
    const keys = { run, batch: this.#writeIteration(run, batch) };
    for (const episode of batch.episodes) {
      checkBelongs(episode, batch);
      this.#writeEpisode(keys, episode);
    }
    this.#audit.write(keys, batch);
    this.#spans.write(run, batchSpans(batch.run, batch.audit.segments, batch));
  }

  #writeIteration(run: number, batch: BatchRecord): number {
    const { phase, iteration, weights, episodes } = batch;
    const row = [run, phase, iteration, weights, episodes.length, metricsJson(batch), Date.now()];
    const { changes, lastInsertRowid } = this.#insertIteration.run(...row);
    if (Number(changes) === 0) throw new FaradayError(`${nameOf(batch)} is already in the store`);
    return Number(lastInsertRowid);
  }

  #writeEpisode(keys: { readonly run: number; readonly batch: number }, episode: StoredEpisode): void {
    const { key } = episode;
    const { changes, lastInsertRowid } = this.#insertRollout.run(
      keys.run,
      keys.batch,
      key.id,
      key.task,
      key.split,
      key.group,
      key.index,
      key.seed,
      key.weights,
      episode.worker,
      episode.attempt,
      episode.outcome,
      episode.error?.boundary ?? null,
      episode.error?.message ?? null,
      Number(episode.success),
      episode.reward,
      episode.cost,
      episode.scalarReward,
      finiteOrNull(episode),
      episode.stepCount,
      episode.tokenCount,
      episode.oracle === null ? null : JSON.stringify(episode.oracle),
    );
    if (Number(changes) === 0) throw new FaradayError(`episode ${key.id} is already in the store`);
    for (const violation of episode.violations) this.#writeViolation(Number(lastInsertRowid), violation);
  }

  #writeViolation(rollout: number, violation: EpisodeViolation): void {
    this.#insertViolation.run(
      rollout,
      violation.step,
      violation.statement,
      violation.policy,
      violation.rule,
      violation.severity,
      violation.type,
      violation.description,
      Number(violation.blocked),
      violation.penalty,
    );
  }
}

function checkBelongs({ key }: StoredEpisode, batch: BatchRecord): void {
  if (key.phase === batch.phase && key.iteration === batch.iteration) return;
  throw new FaradayError(`episode ${key.id} belongs to ${key.phase} ${key.iteration}, not to ${nameOf(batch)}`);
}

/** SQLite turns NaN into NULL, which an advantage may be: a broken one must not pass for "not trained on". */
function finiteOrNull({ advantage, key }: StoredEpisode): number | null {
  if (advantage === null || Number.isFinite(advantage)) return advantage;
  throw new FaradayError(`the advantage of episode ${key.id} must be finite, got ${advantage}`);
}

/** JSON has no NaN or infinity, and would say null instead. */
function metricsJson(batch: BatchRecord): string {
  for (const [name, value] of Object.entries(batch.metrics)) {
    if (!Number.isFinite(value))
      throw new FaradayError(`metric ${name} of ${nameOf(batch)} must be finite, got ${value}`);
  }
  return JSON.stringify(batch.metrics);
}

function nameOf(batch: BatchRecord): string {
  return `batch ${batch.phase} ${batch.iteration} of run ${batch.run}`;
}
